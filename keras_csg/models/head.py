"""The layers behind the maps.

They compute in float32 whatever the policy: pooling reads the maps once
whatever their dtype is, and what follows is too small for a narrower type to
save anything.
"""

import keras


def pooling_layer(backbone: keras.Model) -> keras.layers.Layer:
    """Returns the global average of a backbone's maps."""
    return keras.layers.GlobalAveragePooling2D(
        data_format="channels_last",
        dtype="float32",
        name=_free_name("pooling", backbone),
    )


def head_layer(backbone: keras.Model, num_classes: int) -> keras.layers.Dense:
    """Returns the head, from features to logits."""
    return keras.layers.Dense(
        num_classes, dtype="float32", name=_free_name("head", backbone)
    )


def dropout_layer(rate: float) -> keras.layers.Dropout:
    """Returns what leaves out filters for the class-specific loss."""
    return keras.layers.Dropout(rate, dtype="float32", name="filter_dropout")


def _free_name(name, backbone):
    """Returns a name that no layer of the backbone has: one graph has both."""
    taken = {layer.name for layer in backbone.layers}
    return name if name not in taken else _free_name(f"{name}_", backbone)
