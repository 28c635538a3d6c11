from typing import Any

import keras

from keras_csg.private_api import is_enabled, momentum_of, stand_in_for

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


class FusedSGD(keras.optimizers.SGD):
    """Gradient descent with momentum in one kernel for each variable.

    Keras updates a variable in eight small steps, each of which reads and
    writes all of it. This drop-in subclass hands the update to TensorFlow's
    own kernel for it. The numbers are those of `keras.optimizers.SGD`, whose
    steps run wherever the kernel does not apply: without momentum, in another
    dtype than float32, for sparse gradients and on several devices.

    It is saved as the plain `keras.optimizers.SGD`. The environment variable
    `KERAS_CSG_PLAIN=sgd` leaves the work to Keras everywhere.

    Reference:
        - [Sutskever et al., 2013](https://proceedings.mlr.press/v28/sutskever13.html)
    """

    __class__ = stand_in_for(keras.optimizers.SGD)

    def update_step(
        self, gradient: Any, variable: Any, learning_rate: Any
    ) -> None:
        """Updates one variable by its gradient."""
        momentum = None
        if self._has_kernel(gradient, variable):
            momentum = momentum_of(self, variable)
        if momentum is None:
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=momentum.value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=gradient,
            momentum=self.momentum,
            use_nesterov=self.nesterov,
        )

    def _has_kernel(self, gradient, variable):
        return (
            is_enabled("sgd")
            and self.momentum != 0
            and isinstance(gradient, tf.Tensor)
            and gradient.dtype == variable.dtype == tf.float32
            and tf.distribute.get_strategy().num_replicas_in_sync == 1
        )


def fuse_updates(
    optimizer: keras.optimizers.Optimizer | None,
) -> keras.optimizers.Optimizer | None:
    """Makes an optimizer update each variable in one kernel, in place.

    Args:
        optimizer: `keras.optimizers.Optimizer`. One that is exactly a
            `keras.optimizers.SGD`, or is wrapped around one, becomes a
            `FusedSGD`; others stay as they are.

    Returns:
        The same optimizer.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if (
        keras.backend.backend() == "tensorflow"
        and type(inner) is keras.optimizers.SGD
    ):
        inner.__class__ = FusedSGD
    return optimizer
