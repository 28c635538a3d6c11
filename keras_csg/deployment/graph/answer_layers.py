"""What follows the classifier's head in an exported model.

Written so that every runtime has the operations, and a file no more of them
than it needs.
"""

from typing import Any

import keras
from keras import ops

NO_EVIDENCE = 1e-7
"""Sums below it are rounding errors; half precision still has the number."""


@keras.saving.register_keras_serializable(package="keras_csg")
class ClassHead(keras.layers.Layer):
    """Classifies by a table of weights, and tells those of one class.

    One table for both, with the classes as its rows, keeps the file small: a
    head of 1000 classes and 2048 filters has 8 MB. Outputs that are not asked
    for are not part of an exported graph.

    Args:
        num_classes: int. Rows of the table.
        multi_label: bool. Whether each class has a probability by itself, a
            sigmoid, not one out of a softmax over all.
        temperature: float above 0. What the logits are divided by before they
            become probabilities. The class stays that of the logits.

    Call arguments:
        features: Tensor of shape `(batch, filters)`.
        class_id: Optional. int32 tensor of shape `(batch,)`: the class to
            tell the weights of. Without it, the likeliest.

    Returns:
        A dict with `probabilities` `(batch, classes)`, `class_id` `(batch,)`,
        int32, `weights` `(batch, filters)`, that class's row, and `logits`
        `(batch, classes)`, whatever the temperature.
    """

    def __init__(
        self,
        num_classes: int,
        multi_label: bool = False,
        temperature: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.multi_label = multi_label
        self.temperature = temperature

    def build(
        self,
        features_shape: tuple[int | None, ...],
        class_id_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        """Creates the table and the bias."""
        self.table = self.add_weight(
            name="table",
            shape=(self.num_classes, features_shape[-1]),
            trainable=False,
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.num_classes,), trainable=False
        )

    def call(self, features: Any, class_id: Any = None) -> Any:
        """Returns the probabilities, the class and its weights."""
        import tensorflow as tf

        logits = tf.matmul(features, self.table, transpose_b=True) + self.bias
        to_probabilities = tf.sigmoid if self.multi_label else tf.nn.softmax
        probabilities = to_probabilities(
            logits if self.temperature == 1 else logits / self.temperature
        )
        if class_id is None:
            # With a temperature that flattens them, probabilities may tie.
            sure = probabilities if self.temperature == 1 else logits
            # Keras's argmax takes floats apart bit by bit, which no exported
            # file can do, and its `take` looks for negative numbers.
            class_id = tf.argmax(sure, -1, output_type=tf.int32)
        return {
            "probabilities": probabilities,
            "class_id": class_id,
            "weights": tf.gather(self.table, class_id),
            "logits": logits,
        }

    def compute_output_spec(self, features: Any, class_id: Any = None) -> Any:
        """Returns shapes and dtypes."""
        batch, filters = features.shape
        return {
            "probabilities": keras.KerasTensor((batch, self.num_classes)),
            "class_id": keras.KerasTensor((batch,), "int32"),
            "weights": keras.KerasTensor((batch, filters)),
            "logits": keras.KerasTensor((batch, self.num_classes)),
        }

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for serialisation."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "multi_label": self.multi_label,
            "temperature": self.temperature,
        }


@keras.saving.register_keras_serializable(package="keras_csg")
class FilterContributions(keras.layers.Layer):
    """Splits a logit into what the filters add to it.

    Call arguments:
        features: Tensor of shape `(batch, filters)`, of any sign.
        weights: Tensor of that shape: the class's weight of each filter.

    Returns:
        Tensor of that shape, in units of the logit.
    """

    def call(self, features: Any, weights: Any) -> Any:
        """Returns the parts."""
        return features * weights


@keras.saving.register_keras_serializable(package="keras_csg")
class Evidence(keras.layers.Layer):
    """Adds up what the filters contribute.

    Call arguments:
        contributions: Tensor of shape `(batch, filters)`.

    Returns:
        Tensor of shape `(batch,)`.
    """

    def call(self, contributions: Any) -> Any:
        """Returns the sums."""
        return ops.sum(contributions, axis=-1)


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

    def call(self, maps: Any, weights: Any) -> Any:
        """Returns the map."""
        weights = ops.expand_dims(weights, (1, 2))
        evidence = ops.sum(maps * weights, axis=-1)
        evidence = ops.relu(evidence)
        return _divide(evidence, ops.max(evidence, (1, 2), keepdims=True))

    def compute_output_spec(self, maps: Any, weights: Any) -> keras.KerasTensor:
        """Returns shape and dtype of the map.

        Told, not traced: Keras takes maps times a number for a sparse tensor,
        which TensorFlow cannot multiply by weights.
        """
        return keras.KerasTensor(maps.shape[:3], self.compute_dtype)


@keras.saving.register_keras_serializable(package="keras_csg")
class PredictedProbability(keras.layers.Layer):
    """Picks the probability of a class.

    Call arguments:
        probabilities: Tensor of shape `(batch, classes)`.
        class_id: int32 tensor of shape `(batch,)`.

    Returns:
        Tensor of shape `(batch,)`.
    """

    def call(self, probabilities: Any, class_id: Any) -> Any:
        """Returns the probabilities."""
        classes = ops.arange(probabilities.shape[-1], dtype="int32")
        chosen = ops.equal(ops.expand_dims(class_id, -1), classes)
        chosen = ops.cast(chosen, probabilities.dtype)
        return ops.sum(probabilities * chosen, axis=-1)


@keras.saving.register_keras_serializable(package="keras_csg")
class Known(keras.layers.Layer):
    """Says whether an image is no stranger than clean ones are.

    Args:
        at_most: float in 0..1. Share of clean images that may be less strange.

    Call arguments:
        anomaly_score: Tensor of shape `(batch,)`, that share.

    Returns:
        Tensor of shape `(batch,)`, bool.
    """

    def __init__(self, at_most: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.at_most = at_most

    def call(self, anomaly_score: Any) -> Any:
        """Returns whether each is known."""
        return ops.less_equal(anomaly_score, self.at_most)

    def compute_output_spec(self, anomaly_score: Any) -> Any:
        """Returns shape and dtype."""
        return keras.KerasTensor(anomaly_score.shape, "bool")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for serialisation."""
        return {**super().get_config(), "at_most": self.at_most}


def _divide(parts, total):
    """Divides by what is not negative; zeros where it is zero."""
    return parts / ops.maximum(total, NO_EVIDENCE)
