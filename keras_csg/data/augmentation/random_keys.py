"""Random keys that depend on nothing but numbers the caller gives.

TensorFlow's stateless operations draw from a key of two integers. A key here
is folded from the run's seed, what it is for, the epoch and the batch, so a
stream that starts at epoch 7 draws what it would have drawn on the way there.
"""

import tensorflow as tf

ORDER, AUGMENTATION = 0, 1


def fold_key(seed: int, *numbers: int | tf.Tensor) -> tf.Tensor:
    """Folds numbers into a seed.

    Args:
        seed: int. The seed of the run.
        *numbers: ints or scalar integer tensors, such as epoch and batch.

    Returns:
        int32 tensor of shape `(2,)`.
    """
    low_bits = 2**31 - 1
    key = tf.constant([seed & low_bits, (seed >> 31) & low_bits], tf.int32)
    for number in numbers:
        key = fold_in(key, number)
    return key


def fold_in(key: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """Returns a new key for one more number, of shape `(2,)`."""
    return tf.random.experimental.stateless_fold_in(
        key, tf.cast(number, tf.int32)
    )
