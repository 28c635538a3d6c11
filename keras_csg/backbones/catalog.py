import json
import pathlib

from keras_csg.backbones import registry

CATALOG_PATH = pathlib.Path(__file__).with_name("catalog.json")


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
        _describe(registry.backbone_spec(name), figures.get(name, unknown))
        for name in registry.list_backbones()
    ]


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
