from typing import Any

import keras
import tensorflow as tf


class SwitchedRandAugment(keras.layers.RandAugment):
    """`keras.layers.RandAugment` that computes only the operations it drew.

    The stock layer computes all eleven and discards the rest: the same images,
    several times slower. For `tf.data` only.
    """

    def transform_images(
        self,
        images: tf.Tensor,
        transformation: dict[str, Any],
        training: bool = True,
    ) -> tf.Tensor:
        """Applies the operations drawn, one after the other."""
        if not training:
            return images
        images = tf.cast(images, self.compute_dtype)
        for number in range(self.num_ops):
            branches = [
                self._branch(name, images, draws)
                for name, draws in transformation["transforms"].items()
            ]
            chosen = transformation["layer_idxes"][number]
            changed = tf.switch_case(chosen, branches)
            images = tf.ensure_shape(changed, images.shape)
        return images

    def _branch(self, name, images, draws):
        layer = getattr(self, name)
        return lambda: tf.cast(
            layer.transform_images(images, draws), self.compute_dtype
        )
