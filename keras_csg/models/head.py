"""The layers behind the maps.

They compute in float32 whatever the policy: pooling reads the maps once
whatever their dtype is, and what follows is too small for a narrower type to
save anything.
"""

from typing import Any

import keras
from keras import ops


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


class ClassSpecificHead(keras.layers.Layer):
    """Sums up each class's own filters: `(W * G) a + b`, in float32.

    Keras casts the variables that a layer reads to the dtype that this layer
    computes in. Here they keep theirs, whatever layer of the user's asks.

    It has no weights: they are those of the head and of the gate.

    Args:
        head: `keras.layers.Dense` with a kernel `(filters, classes)`.
        gate: `CSGGate`.

    Call arguments:
        features: Tensor of shape `(batch, filters)`.
        dropped: Optional. The same with some filters left out: reading the
            kernel, and writing its gradient, is what takes the time.

    Returns:
        Logits of shape `(batch, classes)`, or a pair of them.
    """

    def __init__(self, head: keras.layers.Dense, gate: keras.layers.Layer):
        super().__init__(dtype="float32", name="class_specific_head")
        # As attributes Keras would take them for layers of this one.
        self._read = lambda: (head.kernel, head.bias, gate.gate_matrix)

    def call(self, features: Any, dropped: Any = None) -> Any:
        """Returns each class's logit over its own filters alone."""
        kernel, bias, gate_matrix = self._read()
        own = kernel * ops.transpose(gate_matrix)
        logits = ops.matmul(features, own) + bias
        if dropped is None:
            return logits
        return logits, ops.matmul(dropped, own) + bias


def _free_name(name, backbone):
    """Returns a name that no layer of the backbone has: one graph has both."""
    taken = {layer.name for layer in backbone.layers}
    return name if name not in taken else _free_name(f"{name}_", backbone)
