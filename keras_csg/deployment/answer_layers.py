"""What follows the classifier's head in an exported model.

Written so that every runtime has the operations: no einsum, no row by row
gathering, and TensorFlow's own argmax, since Keras's takes floats apart bit by
bit.
"""

import keras
from keras import ops

NO_EVIDENCE = 1e-7
"""Sums below it are rounding errors; half precision still has the number."""


@keras.saving.register_keras_serializable(package="keras_csg")
class PredictedClass(keras.layers.Layer):
    """Names the likeliest class.

    Call arguments:
        probabilities: Tensor of shape `(batch, classes)`.

    Returns:
        int32 tensor of shape `(batch,)`.
    """

    def call(self, probabilities):
        """Returns the first class with the largest probability."""
        import tensorflow as tf

        return tf.argmax(probabilities, axis=-1, output_type=tf.int32)

    def compute_output_spec(self, probabilities):
        """Returns shape and dtype, which is not the layer's own."""
        return keras.KerasTensor(probabilities.shape[:1], "int32")


@keras.saving.register_keras_serializable(package="keras_csg")
class ClassRow(keras.layers.Layer):
    """Looks up the row of a class in a table.

    Args:
        num_classes: int. Rows of the table.
        filters: int. Columns of the table.

    Call arguments:
        class_id: int32 tensor of shape `(batch,)`.

    Returns:
        Tensor of shape `(batch, filters)`.
    """

    def __init__(self, num_classes, filters, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.filters = filters

    def build(self, class_id_shape):
        """Creates the table."""
        self.table = self.add_weight(
            name="table",
            shape=(self.num_classes, self.filters),
            trainable=False,
        )

    def call(self, class_id):
        """Returns the rows."""
        import tensorflow as tf

        # Keras's own `take` counts negative numbers from the end, which
        # would go into every file.
        return tf.gather(self.table, class_id)

    def compute_output_spec(self, class_id):
        """Returns shape and dtype."""
        shape = (*class_id.shape, self.filters)
        return keras.KerasTensor(shape, self.compute_dtype)

    def get_config(self):
        """Returns the arguments, for serialisation."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "filters": self.filters,
        }


@keras.saving.register_keras_serializable(package="keras_csg")
class FilterContributions(keras.layers.Layer):
    """Splits a logit into the filters' signed shares.

    Call arguments:
        features: Tensor of shape `(batch, filters)`, of any sign.
        weights: Tensor of that shape: the class's weight of each filter.

    Returns:
        Tensor of that shape whose absolute values sum to 1; zeros where every
        part is zero.
    """

    def call(self, features, weights):
        """Returns the shares."""
        parts = features * weights
        return _divide(parts, ops.sum(ops.abs(parts), -1, keepdims=True))


@keras.saving.register_keras_serializable(package="keras_csg")
class ClassActivationMap(keras.layers.Layer):
    """Shows where the evidence for a class lies.

    Call arguments:
        maps: Tensor of shape `(batch, h, w, filters)`.
        weights: Tensor of shape `(batch, filters)`.

    Returns:
        Tensor of shape `(batch, h, w)`: the positive part of the weighted sum,
        divided by its maximum; zeros where that is zero.
    """

    def call(self, maps, weights):
        """Returns the map."""
        weights = ops.expand_dims(weights, (1, 2))
        evidence = ops.sum(maps * weights, axis=-1)
        evidence = ops.relu(evidence)
        return _divide(evidence, ops.max(evidence, (1, 2), keepdims=True))


@keras.saving.register_keras_serializable(package="keras_csg")
class PredictedProbability(keras.layers.Layer):
    """Picks the probability of a class.

    Call arguments:
        probabilities: Tensor of shape `(batch, classes)`.
        class_id: int32 tensor of shape `(batch,)`.

    Returns:
        Tensor of shape `(batch,)`.
    """

    def call(self, probabilities, class_id):
        """Returns the probabilities."""
        classes = ops.arange(probabilities.shape[-1], dtype="int32")
        chosen = ops.equal(ops.expand_dims(class_id, -1), classes)
        chosen = ops.cast(chosen, probabilities.dtype)
        return ops.sum(probabilities * chosen, axis=-1)


def _divide(parts, total):
    """Divides by what is not negative; zeros where it is zero."""
    return parts / ops.maximum(total, NO_EVIDENCE)
