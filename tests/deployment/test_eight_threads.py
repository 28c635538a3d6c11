"""Eight threads that ask at a time get what one gets, to the bit."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.deployment.formats.registry import get_format, list_formats
from tests.deployment.trained import trained_classifier, write_as

THREADS = 8
ROUNDS = 6


def together(function, items):
    """Returns `function` of each item, of threads that begin at a time."""
    start = threading.Barrier(THREADS)

    def run(number):
        start.wait(60)
        return [function(items[(number + i) % len(items)]) for i in order]

    order = range(ROUNDS)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(run, range(THREADS)))
    return [
        ((number + i) % len(items), answer)
        for number, answers in enumerate(found)
        for i, answer in enumerate(answers)
    ]


def batches(shape, count=THREADS):
    """Returns batches of one to three images."""
    rng = np.random.default_rng(3)
    sizes = [1 + number % 3 for number in range(count)]
    return [
        rng.integers(0, 256, (size, *shape)).astype("float32") for size in sizes
    ]


@pytest.fixture(scope="module")
def model():
    return trained_classifier()


@pytest.mark.parametrize("name", list_formats())
def test_an_exported_file(name, model, tmp_path):
    known = get_format(name)
    path = tmp_path / f"file{known.suffix}"
    try:
        write_as(known, model, path)
    except (ValueError, ImportError) as error:
        pytest.skip(f"{name}: {error}")
    opened = keras_csg.open_exported(path)
    given = batches(opened.metadata.input["shape"][1:])
    given = [x.astype(opened.metadata.input["dtype"]) for x in given]
    alone = [opened.answer(images) for images in given]
    for number, answer in together(opened.answer, given):
        assert answer.keys() == alone[number].keys()
        for key, values in answer.items():
            np.testing.assert_array_equal(values, alone[number][key])


def test_predict_and_explain(model, tmp_path):
    paths = []
    for number, images in enumerate(batches(model.input_shape[1:])):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(images[0].astype("uint8")).save(paths[-1])

    def predict(path):
        return keras_csg.predict(model, path)

    def explain(path):
        found = model.explain([path])
        evidence = found.predicted
        return found.probabilities, evidence.contributions, evidence.heatmap

    alone = [predict(path) for path in paths]
    for number, answer in together(predict, paths):
        assert answer == alone[number]
    kept = [explain(path) for path in paths]
    for number, found in together(explain, paths):
        for one, other in zip(found, kept[number], strict=True):
            np.testing.assert_array_equal(one, other)
