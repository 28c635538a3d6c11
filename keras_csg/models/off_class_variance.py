from typing import Any

import keras
from keras import ops

from keras_csg.models.losses import is_soft


def off_class_variance(
    features: Any,
    labels: Any,
    rows: Any,
    logits: Any,
    sample_weight: Any = None,
) -> Any:
    """Returns how much filters tell of classes that are not their own.

    Of the samples whose class a filter is not open to, the share of the
    filter's variance that lies between their classes, the correlation ratio;
    the mean over the filters. At 0 all these classes have one mean: where its
    class is not, the filter does not tell which other is, however active it
    is, and a linear probe finds nothing. It is free of the features' scale.

    In a batch with one sample of each class all variance lies between, 1, and
    there is nothing to follow: it takes a few of each.

    Args:
        features: Tensor of shape `(batch, filters)`.
        labels: ints of shape `(batch,)` or `(batch, 1)`, or distributions of
            shape `(batch, classes)`, of which two samples count as of one
            class as far as they overlap.
        rows: Tensor of shape `(batch, filters)`, in `[0, 1]`: the gate row of
            each sample.
        logits: Tensor of shape `(batch, classes)`; tells one kind of labels
            from the other.
        sample_weight: Optional. Tensor of shape `(batch,)`.

    Returns:
        float32 scalar in `[0, 1]`.

    Reference:
        - Correlation ratio: Fisher, 1925, *Statistical Methods for Research
          Workers*, section 45
    """
    features = ops.cast(features, "float32")
    off = 1 - ops.cast(rows, "float32")
    same = _same_class(labels, logits)
    if sample_weight is not None:
        weight = ops.cast(ops.reshape(sample_weight, (-1, 1)), "float32")
        off, same = off * weight, same * ops.transpose(weight)
    epsilon = keras.config.epsilon()
    off = off / ops.maximum(ops.sum(off, axis=0), epsilon)
    same = same / ops.maximum(ops.sum(same, axis=1, keepdims=True), epsilon)
    features = features - ops.sum(off * features, axis=0)
    between = ops.sum(off * ops.square(ops.matmul(same, features)), axis=0)
    variance = ops.sum(off * ops.square(features), axis=0)
    return ops.mean(between / (variance + epsilon))


def _same_class(labels, logits):
    """Returns, for each two samples, how far they are of one class."""
    labels = ops.convert_to_tensor(labels)
    if is_soft(labels, logits):
        labels = ops.cast(labels, "float32")
        return ops.matmul(labels, ops.transpose(labels))
    labels = ops.reshape(labels, (-1, 1))
    return ops.cast(ops.equal(labels, ops.transpose(labels)), "float32")
