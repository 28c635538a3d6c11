from typing import Any

import keras

from keras_csg.layers.batch_normalization import FusedBatchNormalization
from keras_csg.private_api import flat_layers, own_class

PLAIN = (keras.layers.BatchNormalization, FusedBatchNormalization)


@keras.saving.register_keras_serializable(package="keras_csg")
class FrozenStatisticsBatchNormalization(FusedBatchNormalization):
    """Batch normalization that always normalizes by its running statistics.

    In training too, and it never moves them; `gamma` and `beta` train. That is
    what few images want of a network that was trained on many: the statistics
    of a small batch are noisy, and running averages with a momentum of .99
    follow in a few hundred steps only.

    Arguments and weights are those of `keras.layers.BatchNormalization`. It is
    saved under its own name, and so comes back as it was.

    Example:
    >>> layer = FrozenStatisticsBatchNormalization(epsilon=0.0)
    >>> images = np.full((1, 2, 2, 1), 3.0)
    >>> float(layer(images, training=True)[0, 0, 0, 0])
    3.0
    """

    __class__ = own_class()

    moves_statistics = False  # So nobody measures them again.

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Returns the inputs, normalized by the running statistics."""
        return super().call(inputs, training=False, mask=mask)


def freeze_statistics(model: keras.Model) -> keras.Model:
    """Makes every batch normalization of a model keep its statistics.

    The model is changed in place, and returned, as by
    `fuse_batch_normalization`: each `keras.layers.BatchNormalization`, fused or
    not, also inside nested models and composite layers, becomes a
    `FrozenStatisticsBatchNormalization`. Other subclasses are left alone.

    Call it before training: a step that has been compiled stays as it is.

    Args:
        model: A `keras.Model`: functional, sequential or subclassed.

    Returns:
        The same model.

    Example:
    >>> model = keras.applications.MobileNetV2(weights=None)
    >>> model = freeze_statistics(model)
    """
    for layer in flat_layers(model):
        if type(layer) in PLAIN:
            layer.__class__ = FrozenStatisticsBatchNormalization
    return model
