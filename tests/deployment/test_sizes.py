"""Images of a size that a network of any size has no answer for."""

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.deployment.formats.sizes import SizeError, size_error
from keras_csg.deployment.least_size import least_size
from keras_csg.deployment.prediction import predict_each
from tests.deployment.trained import trained_classifier


def unpadded_backbone():
    """Takes images of any size from 3x3 on, made smaller by two pixels."""
    images = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(6, 3, name="conv")(x)
    return keras.Model(images, keras.layers.ReLU(name="relu")(x))


@pytest.fixture(scope="module")
def unpadded():
    return trained_classifier(unpadded_backbone())


SUFFIXES = {
    "onnx": ".onnx",
    "litert": ".tflite",
    "saved_model": "",
    "openvino": "",
}


@pytest.fixture(scope="module", params=SUFFIXES)
def opened(request, unpadded, tmp_path_factory):
    if request.param == "openvino":
        pytest.importorskip("openvino")
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / f"any{SUFFIXES[request.param]}"
    keras_csg.export(unpadded, path, request.param)
    return keras_csg.open_exported(path)


@pytest.fixture(scope="module")
def pooled():
    """Whose runtimes round a map of no pixel up to one."""
    images = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.MaxPooling2D(4)(x)
    x = keras.layers.Conv2D(6, 3, padding="same")(x)
    return trained_classifier(keras.Model(images, x))


@pytest.mark.parametrize("format", SUFFIXES)
def test_none_answers_what_the_network_has_no_map_of(format, pooled, tmp_path):
    if format == "openvino":
        pytest.importorskip("openvino")
    path = tmp_path / f"any{SUFFIXES[format]}"
    keras_csg.export(pooled, path, format)
    opened = keras_csg.open_exported(path)
    assert opened.metadata.input["least_size"] == [4, 4]
    for height, width in ((3, 9), (9, 3), (1, 1)):
        with pytest.raises(SizeError, match=f"no image of {width}x{height}"):
            opened.answer(black(height, width))
    assert opened.answer(black(4, 7))["heatmap"].shape == (1, 1, 1)


def test_the_least_size_is_that_of_the_layers():
    def least(*layers, sides=(None, None)):
        return least_size(keras.Sequential([keras.Input((*sides, 3)), *layers]))

    layers = keras.layers
    assert least(layers.Conv2D(2, (3, 5))) == [3, 5]
    assert least(layers.Conv2D(2, 3, padding="same")) == [1, 1]
    assert least(layers.MaxPooling2D(2), layers.Conv2D(2, 3)) == [6, 6]
    # A layer that fails for some sizes, and one that fails for all.
    assert least(layers.Cropping2D(4)) == [9, 9]
    assert least(layers.Conv2D(2, 2000)) is None


def black(height, width):
    return np.zeros((1, height, width, 3), "float32")


def test_a_size_too_small_is_named_and_nothing_printed(opened, capfd):
    expected = opened.answer(black(9, 8))
    for height, width in ((1, 1), (2, 5), (5, 2)):
        with pytest.raises(SizeError) as raised:
            opened.answer(black(height, width))
        assert str(raised.value) == (
            f"the model takes no image of {width}x{height}"
        )
        assert isinstance(raised.value, ValueError)
    # Those that come afterwards are answered as ever.
    assert opened.answer(black(3, 3))["heatmap"].shape == (1, 1, 1)
    for name, values in opened.answer(black(9, 8)).items():
        np.testing.assert_array_equal(values, expected[name])
    assert capfd.readouterr() == ("", "")


def test_predicting_names_it_once(opened, tmp_path, capfd):
    from PIL import Image

    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    paths = [tmp_path / "dot.png", tmp_path / "good.png"]
    dot, good = predict_each(opened, paths)
    assert dot["error"] == (
        f"There is no prediction for {paths[0]}: "
        "the model takes no image of 1x1"
    )
    assert "error" not in good
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "words",
    [
        "OOM when allocating tensor with shape[9000,9000,3]",
        "Failed to allocate memory for requested buffer of size 9",
        "std::bad_alloc: shape {9}",
        "the file was removed",
    ],
)
def test_what_is_no_matter_of_the_size_stays_the_runtimes(unpadded, words):
    from keras_csg.deployment.classifier_answers import ClassifierAnswers

    metadata = ClassifierAnswers(unpadded, False).metadata
    assert size_error(RuntimeError(words), black(1, 1), metadata) is None
    fits_not = RuntimeError("Invalid input shape: {1,1}")
    assert isinstance(size_error(fits_not, black(1, 1), metadata), SizeError)


def test_ordinary_exports_open_in_silence(tmp_path, capfd):
    """ONNX Runtime warns of constants that it removes from a graph."""
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, padding="same")(images)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Concatenate()([x, keras.layers.Activation("gelu")(x)])
    model = trained_classifier(keras.Model(images, x))
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path)
    keras_csg.open_exported(path).answer(black(8, 8))
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_opened_is_called_by_its_own_name(
    unpadded, tmp_path, monkeypatch
):
    from keras_csg.deployment.formats import onnx

    def refuse(path, *_):
        raise ValueError(f"cannot load {path}")

    monkeypatch.setattr(onnx, "OnnxAnswers", refuse)
    path = tmp_path / "any.onnx"
    with pytest.raises(ValueError) as raised:
        keras_csg.export(unpadded, path)
    assert str(raised.value) == f"cannot load {path}"
    assert not [*tmp_path.iterdir()]


def test_a_network_of_any_size_but_that_of_random_images(tmp_path):
    images = keras.Input((None, None, 3))
    features = keras.layers.Conv2D(4, 70)(images)
    model = keras_csg.CSGClassifier(keras.Model(images, features), 4)
    path = tmp_path / "large.onnx"
    with pytest.raises(SizeError, match="64x64: prove the file on `images`"):
        keras_csg.export(model, path)
    assert not list(tmp_path.iterdir())
    keras_csg.export(model, path, images=np.random.rand(2, 70, 71, 3) * 255)
