"""Images that prove nothing are refused; int8 files are proven on real ones."""

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.deployment.given_images import check_contrast, check_given
from tests.deployment.trained import some_images, trained_classifier
from tests.tiny import tiny_classifier, tiny_data


@pytest.fixture(scope="module")
def model():
    return trained_classifier()


def with_value(value):
    images = some_images()
    images[3, 0, 0, 0] = value
    return images


@pytest.mark.parametrize(
    "images, message",
    [
        (with_value(np.nan), "finite numbers.*image 3"),
        (with_value(np.inf), "finite numbers.*image 3"),
        (with_value(300), r"0\.\.255.*300"),
        (with_value(-20), r"0\.\.255.*-20"),
        (some_images() / 255, "as before they were scaled.*0"),
        (some_images() / 127.5 - 1, "as before they were scaled.*-1|-0"),
        (some_images() / 25, "as before they were scaled.*whole numbers"),
        (np.array([["a"]]), "array of numbers"),
    ],
)
@pytest.mark.parametrize("name", ["images", "calibration"])
def test_images_of_another_range_are_refused(
    model, tmp_path, name, images, message
):
    given = {"quantize": "int8", "calibration": some_images(), name: images}
    with pytest.raises(ValueError, match=f"`{name}` must.*{message}"):
        keras_csg.export(model, tmp_path / "model.tflite", **given)
    assert not [*tmp_path.iterdir()]


def test_images_of_one_colour_are_refused_where_something_is_quantised(
    model, tmp_path
):
    grey = np.full((8, 8, 8, 3), 90, "uint8")
    for given in (
        {"quantize": "int8", "calibration": grey, "images": some_images()},
        {"quantize": "float16", "images": grey},
        {"quantize": "int8", "calibration": np.zeros((4, 8, 8, 3))},
    ):
        with pytest.raises(ValueError, match="of one colour.*deviation"):
            keras_csg.export(model, tmp_path / "model.tflite", **given)
    # One colour each, but not the same.
    check_contrast("images", np.stack([grey, grey + 40]), True)
    report = keras_csg.export(model, tmp_path / "model.onnx", images=grey)
    assert report["proof_images"] == "given"


def test_of_a_network_without_scaling_nobody_knows_the_range():
    check_given("images", some_images() / 255, False)
    check_contrast("images", some_images() / 255, False)
    with pytest.raises(ValueError, match="finite"):
        check_given("images", with_value(np.nan), False)


def test_int8_is_proven_on_what_it_was_calibrated_on(tmp_path):
    keras.utils.set_random_seed(0)
    model = tiny_classifier()
    model.compile(keras.optimizers.Adam(0.02))
    images, labels = tiny_data(140)
    model.fit(images, labels, batch_size=35, epochs=12, verbose=0)
    path = tmp_path / "model.tflite"
    how = {"quantize": "int8", "calibration": images}
    report = keras_csg.export(model, path, **how)
    assert report["proof_images"] == "calibration"
    assert report["images"] == len(images)
    assert report["accuracy"] is None and report["agreement"] >= 0.95
    with pytest.raises(ValueError, match="give both"):
        keras_csg.export(model, tmp_path / "b.tflite", labels=labels, **how)
    # Where classes are known, accuracies are compared.
    report = keras_csg.export(
        model, path, overwrite=True, images=images, labels=labels, **how
    )
    assert report["proof_images"] == "given"
    assert report["accuracy"] > 0.9


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_a_few_images_prove_nothing_of_what_is_calibrated_on_them(
    model, tmp_path, name
):
    few = some_images()[:1]
    with pytest.raises(ValueError, match="at least 16.*Received: 1 images"):
        keras_csg.export(
            model, tmp_path / name, quantize="int8", calibration=few
        )
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("wrong", [-1, 4, 0.5])
def test_labels_are_numbers_of_classes(model, tmp_path, wrong):
    images = some_images()
    labels = np.zeros(len(images))
    labels[2] = wrong
    with pytest.raises(ValueError, match=r"`labels` must be whole .*0\.\.3"):
        keras_csg.export(
            model, tmp_path / "model.onnx", images=images, labels=labels
        )


def test_dark_pictures_are_given_as_whole_numbers():
    check_given("images", np.rint(some_images() / 25), True)


def test_a_model_of_any_size_is_calibrated_where_the_format_can(tmp_path):
    backbone = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(6, 3, activation="relu"),
        ]
    )
    model = keras_csg.build(backbone, 3)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (32, 12, 14, 3)).astype("uint8")
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path, quantize="int8", calibration=images)
    answers = keras_csg.open_exported(path).answer(
        images[:2, :9, :8].astype("float32")
    )
    assert answers["heatmap"].shape == (2, 7, 6)
    with pytest.raises(ValueError, match="images of one size alone"):
        keras_csg.export(
            model,
            tmp_path / "model.tflite",
            quantize="int8",
            calibration=images,
        )
