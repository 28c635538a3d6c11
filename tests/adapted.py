"""Layers that compute with more than their weights, and networks of them."""

import keras
import numpy as np

SIZE = 8


def some_images(samples=6):
    """Images in 0..255 whose channels differ."""
    images = np.random.default_rng(1).uniform(0, 200, (samples, SIZE, SIZE, 3))
    return (images + [0, 20, 55]).astype("float32")


@keras.saving.register_keras_serializable(package="tests")
class Inside(keras.layers.Layer):
    """An adapted layer within a layer, without a `get_config`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Normalization()

    def build(self, shape):
        self.inner.build(shape)

    def call(self, images):
        return self.inner(images)


@keras.saving.register_keras_serializable(package="tests")
class Spread(keras.layers.Layer):
    """Divides by what it computed from its weights when they were given."""

    def build(self, shape):
        self.spread = self.add_weight(
            name="spread", shape=(3,), initializer="ones", trainable=False
        )
        self.finalize_state()

    def adapt(self, images):
        self.build(images.shape)
        self.built = True
        self.spread.assign(images.std(axis=(0, 1, 2)))
        self.finalize_state()

    def finalize_state(self):
        self.scale = 1 / keras.ops.convert_to_numpy(self.spread)

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.finalize_state()

    def call(self, images):
        return images * self.scale


def adapted(layer):
    layer.adapt(some_images())
    return layer


def inside():
    layer = Inside()
    layer.build((None, SIZE, SIZE, 3))
    layer.inner.adapt(some_images())
    return layer


def integer_lookup():
    layer = keras.layers.IntegerLookup(max_tokens=80)
    layer.adapt(np.arange(0, 256, 4))
    return layer


def sequential():
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            adapted(keras.layers.Normalization()),
            keras.layers.Rescaling(2.0),
        ]
    )


def functional():
    images = keras.Input((SIZE, SIZE, 3))
    normalized = adapted(keras.layers.Normalization())(images)
    return keras.Model(images, normalized)


FRONTS = {
    "normalization": lambda: adapted(keras.layers.Normalization()),
    "one for all": lambda: adapted(keras.layers.Normalization(axis=None)),
    "of places": lambda: adapted(keras.layers.Normalization(axis=(1, 2, 3))),
    "inverted": lambda: adapted(keras.layers.Normalization(invert=True)),
    "by figures": lambda: keras.layers.Normalization(
        mean=[1.0, 2, 3], variance=[4.0, 9, 16], invert=True
    ),
    "buckets": lambda: adapted(keras.layers.Discretization(num_bins=5)),
    "sequential": sequential,
    "functional": functional,
    "inside": inside,
    "of somebody": lambda: adapted(Spread()),
}


def adapted_backbone(name):
    """Returns a network that begins with a layer of `FRONTS`."""
    images = keras.Input((SIZE, SIZE, 3))
    prepared = FRONTS[name]()(images)
    if name == "inverted":  # Numbers of many thousands.
        prepared = keras.layers.Rescaling(1e-4)(prepared)
    maps = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(
        keras.ops.cast(prepared, "float32")
    )
    return keras.Model(images, maps)
