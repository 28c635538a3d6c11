"""Names that a shell completes, from files: no library is loaded for it."""

import json
import pathlib

import keras_csg

PACKAGE = pathlib.Path(keras_csg.__file__).parent


def complete_recipe(context, parameter, begun):
    """Returns the recipes that begin so."""
    return _beginning(_stems("training/recipes", ".toml"), begun)


def complete_backbone(context, parameter, begun):
    """Returns the backbones that begin so."""
    catalog = (PACKAGE / "backbones" / "catalog.json").read_text("utf-8")
    return _beginning(json.loads(catalog), begun)


def complete_shipped(context, parameter, begun):
    """Returns the trained networks of the package that begin so."""
    return _beginning(_stems("backbones/weights/shipped", ".keras"), begun)


def complete_weights(context, parameter, begun):
    """Returns what `--weights` can be by name, and begins so."""
    names = ["imagenet", *_stems("backbones/weights/shipped", ".keras")]
    return _beginning(names, begun)


def _stems(folder, suffix):
    return sorted(path.stem for path in (PACKAGE / folder).glob(f"*{suffix}"))


def _beginning(names, begun):
    return [name for name in names if name.startswith(begun)]
