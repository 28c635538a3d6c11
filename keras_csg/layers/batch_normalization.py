from typing import Any

import keras
from keras import ops

from keras_csg.layers.batch_statistics import fitted_momentum, steps_done
from keras_csg.private_api import (
    compiled_by_xla,
    flat_layers,
    is_enabled,
    stand_in_for,
)

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

_KERNEL_DTYPES = ("float16", "bfloat16", "float32")


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization in one kernel where TensorFlow has one.

    Keras runs this layer as a chain of small kernels, and in float32 even
    under a 16-bit policy. This drop-in subclass hands images to TensorFlow's
    fused kernel: a 16-bit map is read and written once, and never cast. The
    arguments, the weights and the numbers are those of
    `keras.layers.BatchNormalization`, whose own `call` does the work wherever
    the kernel does not apply: on another backend, for anything but a 4-D
    channels-last input, with a mask, with `renorm` or `synchronized`, for
    weights or inputs of another dtype than the kernel knows, and under
    `jit_compile=True`.

    The layer is saved as the plain `keras.layers.BatchNormalization`, in
    `.keras` and in weights files: such a file loads where this package is not
    installed. It therefore comes back as the plain layer;
    `fuse_batch_normalization` speeds it up again.

    The environment variable `KERAS_CSG_PLAIN=batch_normalization` leaves the
    work to Keras everywhere.

    Attributes:
        momentum: float. Within `momentum_fitted_to`, what `fitted_momentum`
            makes of it.

    Example:
    >>> layer = FusedBatchNormalization()
    >>> tuple(layer(np.ones((8, 32, 32, 16)), training=True).shape)
    (8, 32, 32, 16)

    Reference:
        - [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167)
    """

    __class__ = stand_in_for(keras.layers.BatchNormalization)

    @property
    def momentum(self) -> Any:
        """Weight of the moving statistics' old values in a step."""
        # TensorFlow asks before it is set.
        own: Any = self.__dict__.get("momentum")
        steps = steps_done()
        if steps is None:
            return own
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        return fitted_momentum(own, ops.cast(steps, dtype))

    @momentum.setter
    def momentum(self, momentum: float) -> None:
        self.__dict__["momentum"] = momentum

    def call(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        """Returns the inputs, normalized as Keras does."""
        if not self._has_kernel(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            return self._normalize_by_batch(inputs)
        outputs, *_ = self._run_kernel(
            inputs,
            is_training=False,
            mean=self.moving_mean,
            variance=self.moving_variance,
        )
        return ops.cast(outputs, self.compute_dtype)

    def _has_kernel(self, inputs, mask):
        return (
            keras.backend.backend() == "tensorflow"
            and is_enabled("batch_normalization")
            and mask is None
            and not (self.renorm or self.synchronized)
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.variable_dtype == "float32"
            and keras.backend.standardize_dtype(inputs.dtype) in _KERNEL_DTYPES
            # XLA fuses Keras's own call by itself, as fast. Of the kernel it
            # would take the variance as E[x^2] - E[x]^2, which cancels where
            # the mean is large.
            and not compiled_by_xla()
        )

    def _normalize_by_batch(self, inputs):
        """Normalizes by the batch's statistics and moves the running ones."""
        outputs, mean, variance = self._run_kernel(
            inputs, is_training=True, mean=[], variance=[]
        )
        # The kernel divides the sum of squares by n - 1, Keras by n.
        n = ops.cast(ops.prod(ops.shape(inputs)[:-1]), "float32")
        variance *= ops.maximum(n - 1, 1) / ops.maximum(n, 1)
        momentum = self.momentum
        for running, current in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            running.assign(running * momentum + current * (1 - momentum))
        return ops.cast(outputs, self.compute_dtype)

    def _run_kernel(self, inputs, is_training, mean, variance):
        filters = inputs.shape[-1]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma if self.scale else tf.ones([filters]),
            offset=self.beta if self.center else tf.zeros([filters]),
            mean=mean,
            variance=variance,
            epsilon=self.epsilon,
            is_training=is_training,
        )
        return outputs, mean, variance


def fuse_batch_normalization(model: keras.Model) -> keras.Model:
    """Makes every batch normalization of a model run in one kernel.

    The model is changed in place, and returned: its layers stay the objects
    they are, with their weights, names, flags and places in the graph, and
    each one that is exactly a `keras.layers.BatchNormalization`, also inside
    nested models and composite layers, becomes a `FusedBatchNormalization`.
    (A copy that shares layers would not do: `layer.output` of a shared layer
    belongs to the first graph, so no inner output of the copy could be used.)
    Subclasses may compute something else and are left alone.

    Call it before training: a step that has been compiled stays as it is.

    Args:
        model: A `keras.Model`: functional, sequential or subclassed.

    Returns:
        The same model.

    Example:
    >>> model = keras.applications.MobileNetV2(weights=None)
    >>> model = fuse_batch_normalization(model)
    """
    for layer in flat_layers(model):
        if type(layer) is keras.layers.BatchNormalization:
            layer.__class__ = FusedBatchNormalization
    return model
