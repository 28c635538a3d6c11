import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_csg
from keras_csg.models.image_range import takes_bytes
from tests.tiny import CLASSES, tiny_classifier, tiny_data

pytestmark = pytest.mark.slow


WARNED = "takes images in 0..255"


def told(work):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    return sum(WARNED in str(warning.message) for warning in caught)


@pytest.mark.parametrize("way", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("kind", [np.asarray, tf.constant])
def test_images_in_0_to_1_are_told_of_once(way, kind):
    images, labels = tiny_data(40)
    small = kind((images / 255).astype("float32"))
    model = tiny_classifier(closing_steps=1)
    model.compile("sgd")
    given = (small,) if way == "predict" else (small, labels)
    with pytest.warns(UserWarning, match=WARNED) as caught:
        getattr(model, way)(*given, verbose=0)
    (warning,) = (w for w in caught if WARNED in str(w.message))
    assert "\n" not in str(warning.message)
    assert warning.filename == __file__
    assert told(lambda: getattr(model, way)(*given, verbose=0)) == 0


def test_a_batch_by_itself_is_looked_at_too():
    images, labels = tiny_data(8)
    model = tiny_classifier(closing_steps=1)
    model.compile("sgd")
    with pytest.warns(UserWarning, match=WARNED) as caught:
        model.train_on_batch((images / 255).astype("float32"), labels)
    (warning,) = (w for w in caught if WARNED in str(w.message))
    assert warning.filename == __file__


@pytest.mark.parametrize(
    "images",
    [
        np.full((4, 8, 8, 3), 255.0),
        np.zeros((4, 8, 8, 3)),
        np.ones((4, 8, 8, 3), "uint8"),
        np.full((4, 8, 8, 3), np.nan),
    ],
    ids=["bright", "black", "dark uint8", "not a number"],
)
def test_other_images_are_not(images):
    model = tiny_classifier()
    assert told(lambda: model.predict(images, verbose=0)) == 0


def pipeline(images, labels):
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)


def generator(images, labels):
    return ((images[i : i + 8], labels[i : i + 8]) for i in range(0, 40, 8))


@pytest.mark.parametrize(
    "way, kind, scale, expected, gated",
    [
        ("fit", pipeline, 255, 1, True),
        ("fit", pipeline, 1, 0, True),
        ("fit", generator, 255, 1, False),
        ("evaluate", pipeline, 255, 1, False),
        ("evaluate", generator, 255, 1, True),
        ("evaluate", generator, 1, 0, True),
    ],
)
def test_steps_take_note_of_what_cannot_be_read_before(
    way, kind, scale, expected, gated
):
    images, labels = tiny_data(40)
    images = (images / scale).astype("float32")
    model = tiny_classifier(closing_steps=1, gated=gated)
    model.compile("sgd")
    given = kind(images, labels)
    assert told(lambda: getattr(model, way)(given, verbose=0)) == expected
    given = kind(images, labels)
    assert told(lambda: getattr(model, way)(given, verbose=0)) == 0


def test_training_is_told_of_after_the_first_batch():
    images, labels = tiny_data(40)
    model = tiny_classifier(closing_steps=1)
    model.compile("sgd")
    data = pipeline((images / 255).astype("float32"), labels)
    told_by = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        def note(batch, logs):
            told_by.append(sum(WARNED in str(w.message) for w in caught))

        callback = keras.callbacks.LambdaCallback(on_train_batch_end=note)
        model.fit(data, verbose=0, callbacks=[callback])
    assert told_by == [1] * 5


def test_a_data_set_is_read_once():
    images, labels = tiny_data(8)
    read = []

    def batches():
        read.append(1)
        yield (images / 255).astype("float32"), labels

    model = tiny_classifier(closing_steps=1)
    model.compile("sgd")
    assert told(lambda: model.evaluate(batches(), verbose=0)) == 1
    assert len(read) == 1


@pytest.mark.parametrize(
    "layer, expected",
    [
        (keras.layers.Rescaling(1 / 127.5, offset=-1), True),
        (keras.layers.Rescaling([1 / 255, 1 / 255, 1 / 255]), True),
        (keras.layers.Rescaling(2.0, offset=-1), False),
        (
            keras.layers.Normalization(
                mean=[124, 116, 104], variance=[1, 1, 1]
            ),
            True,
        ),
        (
            keras.layers.Normalization(
                mean=[0.5, 0.5, 0.5], variance=[1, 1, 1]
            ),
            False,
        ),
        (keras.layers.ReLU(), False),
    ],
)
def test_a_network_is_known_by_the_layer_that_scales(layer, expected):
    images = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(6, 3)(layer(images))
    assert takes_bytes(keras.Model(images, maps)) is expected
    model = keras_csg.build(keras.Model(images, maps), CLASSES)
    small = np.full((4, 8, 8, 3), 0.5, "float32")
    assert told(lambda: model.predict(small, verbose=0)) == expected


def test_a_network_by_name_is_known():
    assert takes_bytes(keras_csg.create_backbone("resnet20"))
