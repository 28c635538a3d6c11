"""What a classifier's training makes of batch normalization."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import keras_csg
from keras_csg import CSGClassifier
from keras_csg.models.batch_statistics import read_again
from tests.tiny import CLASSES, tiny_backbone, tiny_classifier, tiny_data

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.slow


MODES = {
    "graph": {},
    "eager": {"run_eagerly": True},
    "xla": {"jit_compile": True},
    "several steps in one": {"steps_per_execution": 2},
}


def norm_of(model):
    return model.get_layer("norm")


def statistics_of(model):
    return [np.array(w) for w in norm_of(model).get_weights()[-2:]]


def moments(model, images):
    """Mean and variance of what the normalization is given."""
    conv = model.get_layer("conv")
    given = np.array(conv(images / 255.0), "float32").reshape(-1, 6)
    return [given.mean(axis=0), given.var(axis=0)]


def compiled(rate=0.05, **kwargs):
    model = tiny_classifier(**kwargs)
    model.compile(keras.optimizers.SGD(rate))
    return model


def moved(momenta, batches, model):
    """The moving averages by hand, for weights that stay."""
    mean, variance = np.zeros(6), np.ones(6)
    for momentum, batch in zip(momenta, batches, strict=True):
        new_mean, new_variance = moments(model, batch)
        mean = momentum * mean + (1 - momentum) * new_mean
        variance = momentum * variance + (1 - momentum) * new_variance
    return [mean, variance]


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(mode, marks=[pytest.mark.slow] * (mode != "graph"))
        for mode in MODES
    ],
)
def test_the_momentum_follows_the_steps_of_all_fits(mode):
    """0.1, 2/11, 3/12, then the layer's own 0.3 in place of 4/13."""
    model = tiny_classifier()
    norm_of(model).momentum = 0.3
    model.compile(keras.optimizers.SGD(0.0), **MODES[mode])
    images, labels = tiny_data(64)
    for _ in range(2):
        model.fit(
            images,
            labels,
            batch_size=32,
            shuffle=False,
            measure_again=False,
            verbose=0,
        )
    momenta = [0.1, 2 / 11, 0.25, 0.3]
    batches = [images[:32], images[32:]] * 2
    expected = moved(momenta, batches, model)
    assert_allclose(statistics_of(model), expected, rtol=1e-4, atol=1e-5)
    assert norm_of(model).momentum == 0.3


def test_running_averages_are_kerass_own():
    model = compiled(0.0, batch_statistics="running")
    images, labels = tiny_data(64)
    model.fit(images, labels, batch_size=32, shuffle=False, verbose=0)
    expected = moved([0.8, 0.8], [images[:32], images[32:]], model)
    assert_allclose(statistics_of(model), expected, rtol=1e-4, atol=1e-5)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        images, labels = tiny_data()
        part = slice(16 * index, 16 * index + 16)
        return images[part], labels[part]


def dataset(samples=70):
    return tf.data.Dataset.from_tensor_slices(tiny_data(samples)).batch(16)


SOURCES = {
    "array": lambda: {**arrays(), "batch_size": 16},
    "tensor": lambda: keras.tree.map_structure(tf.constant, arrays()),
    "list": lambda: {**arrays(), "x": [tiny_data()[0]], "batch_size": 16},
    "dict": lambda: {**arrays(), "x": {"images": tiny_data()[0]}},
    "dataset": lambda: {"x": dataset(), "shuffle": False},
    "PyDataset": lambda: {"x": Batches()},
}


def arrays():
    images, labels = tiny_data()
    return {"x": images, "y": labels}


@pytest.mark.parametrize("source", SOURCES)
def test_after_fitting_the_statistics_are_those_of_the_images(source):
    """Of all 70: the last batch, a smaller one, counts by its size."""
    model = compiled()
    model.fit(**SOURCES[source](), epochs=2, verbose=0)
    expected = moments(model, tiny_data()[0])
    assert_allclose(statistics_of(model), expected, rtol=1e-4, atol=1e-5)
    given = SOURCES[source]()
    assert model.evaluate(given["x"], given.get("y"), verbose=0)


def test_an_endless_dataset_is_read_for_a_while():
    """4,096 images: all 64 as often as each other."""
    model = compiled()
    endless = dataset(64).repeat()
    model.fit(endless, steps_per_epoch=5, shuffle=False, verbose=0)
    expected = moments(model, tiny_data(64)[0])
    assert_allclose(statistics_of(model), expected, rtol=1e-4, atol=1e-5)


def test_a_generator_is_not_read_twice():
    images, labels = tiny_data()
    model = compiled()
    stream = ((images[:32], labels[:32]) for _ in range(4))
    model.fit(stream, steps_per_epoch=3, shuffle=False, verbose=0)
    assert next(stream, None) is None  # `fit` itself looks ahead.
    assert norm_of(model).moving_mean.value.numpy().any()


@pytest.mark.slow
def test_images_held_out_do_not_count():
    images, labels = tiny_data()
    images[56:] = 255
    model = compiled()
    model.fit(images, labels, validation_split=0.2, verbose=0)
    expected = moments(model, images[:56])
    assert_allclose(statistics_of(model), expected, rtol=1e-4, atol=1e-5)


def test_a_sample_of_sorted_images_has_all_classes_in_a_batch():
    labels = np.repeat(np.arange(4), 2000)
    for batch in list(read_again(labels, 32, 0.0))[:5]:
        assert set(batch) == {0, 1, 2, 3}
    taken = np.concatenate(list(read_again(np.arange(8000), 32, 0.0)))
    assert len(set(taken)) == len(taken) == 4096


def test_it_measures_in_sixteen_bits_too():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = compiled()
    images, labels = tiny_data()
    model.fit(images, labels, epochs=3, verbose=0)
    expected = moments(model, images)
    assert_allclose(statistics_of(model), expected, rtol=0.05, atol=0.05)
    assert norm_of(model).moving_mean.dtype == "float32"


def test_a_network_without_batch_normalization_trains_as_well():
    backbone = tiny_backbone(normalized=False)
    model = CSGClassifier(backbone, CLASSES)
    model.compile("sgd")
    model.fit(*tiny_data(), verbose=0)


def test_an_unknown_treatment_is_named():
    with pytest.raises(ValueError, match="'fitted', 'running'"):
        keras_csg.build("resnet20", 10, batch_statistics="cold")
