from typing import Any

import keras
import tensorflow as tf

from keras_csg.data.augmentation.random_keys import fold_in
from keras_csg.private_api import draw_seeds_from


class KeyedSeedGenerator(keras.random.SeedGenerator):
    """Hands out seeds folded from a key instead of from a counter variable.

    A stock `SeedGenerator` counts its draws in a variable: inside a parallel
    `tf.data` map the draws then depend on the order in which threads run, and
    on how often the layer ran before. This one counts while the map function
    is traced, which fixes the count of every draw in the graph.
    """

    def __init__(self):
        super().__init__(seed=0)
        self.start(None)

    def start(self, key: tf.Tensor | None) -> None:
        """Begins the draws of one batch from `key`, of shape `(2,)`."""
        self._key, self._draws = key, 0

    def next(self, ordered: bool = True) -> tf.Tensor:
        """Returns the next seed, of shape `(2,)`."""
        self._draws += 1
        return fold_in(self._key, self._draws)


class KeyedLayer:
    """A random Keras image layer as a pure function of its inputs and a key.

    Args:
        layer: A `keras.layers` image augmentation layer. It must not be used
            anywhere else: all its draws now come from the key.

    Call arguments:
        inputs: What the layer takes.
        key: int32 tensor of shape `(2,)`.
    """

    def __init__(self, layer: keras.layers.Layer):
        self.layer = layer
        self._generator = KeyedSeedGenerator()
        _replace_generator(layer, self._generator)

    def __call__(self, inputs: Any, key: tf.Tensor) -> Any:
        """Returns what the layer makes of `inputs`."""
        self._generator.start(key)
        return self.layer(inputs)


def _replace_generator(layer, generator):
    """Makes a layer and the layers it holds draw from `generator`."""
    draw_seeds_from(layer, generator)
    for part in list(vars(layer).values()):
        if isinstance(part, keras.layers.Layer):
            _replace_generator(part, generator)
