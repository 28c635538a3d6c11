from typing import Any

import keras

from keras_csg.layers.states import take_state
from keras_csg.models.classifier import CSGClassifier


def in_float32(model: CSGClassifier) -> CSGClassifier:
    """Returns a classifier that computes in float32.

    As exported files do, and what `predict` asks: so that all say the same of
    an image, also where a network was trained in half precision.

    Args:
        model: `CSGClassifier`.

    Returns:
        `model` itself where it does; else a copy with its weights, not
        compiled.
    """
    layers = [*model.backbone.layers, model.head]
    if all(layer.compute_dtype == "float32" for layer in layers):
        return model
    config = keras.saving.serialize_keras_object(model)
    plain = keras.saving.deserialize_keras_object(_with_float32(config))
    take_state(plain, model)
    return plain


def _with_float32(config: Any) -> Any:
    """Returns a config in which every policy is float32."""
    if isinstance(config, list | tuple):
        return type(config)(_with_float32(value) for value in config)
    if not isinstance(config, dict):
        return config
    if str(config.get("class_name")).endswith("DTypePolicy"):
        return {**config, "config": {"name": "float32"}}
    return {key: _with_float32(value) for key, value in config.items()}
