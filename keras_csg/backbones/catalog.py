import json
import pathlib

import keras

from keras_csg.backbones.registry import (
    backbone_spec,
    create_backbone,
    list_backbones,
)
from keras_csg.choices import RANDOM_WEIGHTS
from keras_csg.private_api import flat_layers

CATALOG_PATH = pathlib.Path(__file__).with_name("catalog.json")
DEPTHWISE = (keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def describe_backbones() -> list[dict]:
    """Returns a line about each backbone, in the order of `list_backbones`.

    Nothing is built: the figures come from `catalog.json`, which
    `python -m keras_csg.backbones.measure` writes.

    Returns:
        A list of dicts with the keys `name`, `family`, `parameters` (of the
        backbone alone, without a head), `filters` (K, the depth of the feature
        map), `default_size`, `min_size` and `weights`. Parameters and filters
        of a backbone that was registered from outside are `None`.
    """
    figures = json.loads(CATALOG_PATH.read_text())
    unknown = {"parameters": None, "filters": None}
    return [
        _describe(backbone_spec(name), figures.get(name, unknown))
        for name in list_backbones()
    ]


def has_depthwise_convolutions(name: str) -> bool:
    """Whether a backbone has `DepthwiseConv2D` or `SeparableConv2D` layers.

    Args:
        name: str. Name of a backbone. One that is in no catalogue is built to
            see.

    Raises:
        ValueError: if there is none of that name.
    """
    spec = backbone_spec(name)
    figures = json.loads(CATALOG_PATH.read_text()).get(spec.name)
    if figures is None:
        return has_depthwise_layers(
            create_backbone(name, weights=RANDOM_WEIGHTS)
        )
    return figures["depthwise"]


def has_depthwise_layers(model: keras.Model) -> bool:
    """Whether a model has depthwise or separable convolutions anywhere."""
    return any(isinstance(layer, DEPTHWISE) for layer in flat_layers(model))


def _describe(spec, figures):
    return {
        "name": spec.name,
        "family": spec.family,
        "parameters": figures["parameters"],
        "filters": figures["filters"],
        "default_size": spec.default_size,
        "min_size": spec.min_size,
        "weights": list(spec.weights),
    }
