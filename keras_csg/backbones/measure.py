"""Measures every backbone and writes `catalog.json`: a matter of minutes."""

import gc
import json
import pathlib
from collections.abc import Iterable

import keras

from keras_csg.backbones.catalog import CATALOG_PATH, has_depthwise_layers
from keras_csg.backbones.registry import (
    backbone_spec,
    create_backbone,
    list_backbones,
)


def measure_backbone(name: str) -> dict[str, int | bool]:
    """Builds a backbone at its smallest size and looks at it.

    Returns:
        A dict with the keys `parameters`, `filters` and `depthwise`.
    """
    side = backbone_spec(name).min_size
    model = create_backbone(name, input_shape=(side, side, 3))
    figures = {
        "parameters": model.count_params(),
        "filters": model.output_shape[-1],
        "depthwise": has_depthwise_layers(model),
    }
    del model
    keras.backend.clear_session()
    gc.collect()  # The graph is full of cycles, and the weights hang on it.
    return figures


def write_catalog(
    names: Iterable[str] | None = None, path: pathlib.Path = CATALOG_PATH
) -> None:
    """Measures the named backbones, or all, and writes the figures as JSON."""
    lines = [
        f"  {json.dumps(name)}: {json.dumps(measure_backbone(name))}"
        for name in names or list_backbones()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write_catalog()
