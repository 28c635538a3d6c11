"""What exported files take, from image files of every source and size."""

import io
import pathlib

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

import keras_csg
from keras_csg import CSGClassifier
from keras_csg.data.image_reading import ImageReading
from keras_csg.deployment import explain_answers
from keras_csg.deployment.classifier_answers import ClassifierAnswers
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.test_prediction import HandMade
from tests.deployment.trained import (
    some_images,
    trained_classifier,
    unsettle,
    write_as,
)
from tests.tiny import CLASSES, tiny_maps


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "a.onnx"
    model = trained_classifier()
    write_as(get_format("onnx"), model, path, input_dtype="uint8")
    return keras_csg.open_exported(path)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    pixels = some_images(1, dtype="uint8", size=30)[0]
    Image.fromarray(pixels[:, :20]).save(path)
    return path


def test_paths_bytes_streams_and_images_are_the_same(exported, photo):
    content = photo.read_bytes()
    with Image.open(photo) as image:
        batch = exported.read(
            [
                *(photo, str(photo), content, bytearray(content)),
                *(io.BytesIO(content), image, image.copy()),
            ]
        )
    assert batch.shape == (7, 8, 8, 3) and batch.dtype == "uint8"
    expected = ImageReading().decode(photo, (8, 8))
    assert_array_equal(batch, np.broadcast_to(expected, batch.shape))
    assert_array_equal(exported.read(photo), expected[None])


def test_an_open_image_is_turned_and_laid_on_the_background(exported):
    image = Image.new("RGBA", (16, 8), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 8, 8))
    exif = image.getexif()
    exif[0x0112] = 8  # A quarter counter-clockwise: left becomes below.
    image.info["exif"] = exif.tobytes()
    (pixels,) = exported.read(image)
    assert_array_equal(pixels[0, 0], (255, 255, 255))
    assert_array_equal(pixels[-1, 0], (255, 0, 0))


@pytest.mark.parametrize(
    "images, message",
    [
        ([], "must not be empty"),
        (7, "Cannot read number 0: it must be a path, .* not int"),
        ([b"nothing"], "Cannot read the image number 0: cannot identify"),
        (["none.png"], r"Cannot read the image none\.png: .*No such file"),
    ],
)
def test_what_is_no_image_is_named(exported, images, message):
    with pytest.raises(ValueError, match=message):
        exported.read(images)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused(value):
    model = trained_classifier()
    images = some_images(3)
    images[1, 2, 3, 0] = value
    with pytest.raises(ValueError, match="infinite pixels in image 1 of 3"):
        ClassifierAnswers(model, with_heatmap=False).answer(images)


def test_probabilities_that_are_no_numbers_are_an_error(photo):
    source = HandMade(probabilities=[np.nan] * 3, class_id=0)
    with pytest.raises(ValueError, match="no prediction.*no numbers"):
        keras_csg.predict(source, photo)
    _, found = keras_csg.predict_images(source, [photo])
    (entry,) = found
    assert entry.keys() == {"image", "error"}


def test_a_network_of_nan_explains_nothing(photo):
    source = HandMade(
        probabilities=[np.nan] * 3, class_id=0, filter_contributions=[np.nan]
    )
    with pytest.raises(ValueError, match="no numbers"):
        explain_answers(source, [photo])


def any_size_classifier(rows=None, columns=None):
    images = keras.Input((rows, columns, 3), name="images")
    backbone = keras.Model(images, tiny_maps(images), name="tiny")
    model = CSGClassifier(backbone, CLASSES)
    unsettle(model)
    return model


SIZES = {"small": (5, 7), "wide": (20, 64), "tall": (90, 33), "dot": (1, 1)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number, (name, (height, width)) in enumerate(SIZES.items()):
        noise = some_images(1, seed=number, dtype="uint8", size=90)[0]
        noise = Image.fromarray(noise[:height, :width])
        noise.save(folder / f"{name}.png")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def any_size():
    return any_size_classifier()


@pytest.fixture(scope="module", params=["onnx", "litert", "saved_model"])
def any_size_file(request, any_size, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any_size")
    found = get_format(request.param)
    path = folder / f"a{found.suffix}"
    write_as(found, any_size, path)
    return keras_csg.open_exported(path)


def test_each_image_is_seen_at_its_own_size(any_size, any_size_file, photos):
    answers = ClassifierAnswers(any_size, with_heatmap=False)
    found = keras_csg.predict(any_size_file, photos, top=1)
    assert found == keras_csg.predict(any_size_file, photos, top=1)
    for path, entry in zip(photos, found, strict=True):
        with Image.open(path) as image:
            pixels = np.asarray(image, "float32")
        assert_array_equal(any_size_file.read(path), pixels[None])
        expected = answers.answer(pixels[None])
        (best,) = entry["classes"]
        assert best["class_name"] == str(expected["class_id"][0])
        assert best["probability"] == pytest.approx(
            expected["probabilities"].max(), abs=1e-4
        )


def test_each_image_is_explained_at_its_own_size(any_size_file, photos):
    found = explain_answers(any_size_file, photos)
    assert len(found) == len(photos)
    for index, path in enumerate(photos):
        shape = SIZES[pathlib.Path(path).stem]
        assert found.predicted.heatmap[index].shape == shape
        height, width, _ = found.overlay(index).shape
        assert height * shape[1] == width * shape[0]


def test_heatmaps_are_drawn_at_a_size_to_look_at(any_size, photos, tmp_path):
    found = keras_csg.predict(any_size, photos, heatmaps=tmp_path)
    for entry in found:
        with Image.open(entry["heatmap"]) as picture:
            height, width = SIZES[pathlib.Path(entry["image"]).stem]
            assert picture.width * height == picture.height * width
            assert min(picture.size) >= 256


def test_a_batch_has_one_size(any_size_file, photos):
    with pytest.raises(ValueError, match="read them one by one.*1x1, 5x7"):
        any_size_file.read(photos)


def test_a_side_that_is_free_follows_the_other(tmp_path, photos):
    model = any_size_classifier(columns=16)
    answers = ClassifierAnswers(model, with_heatmap=False)
    shapes = [answers.read(path).shape[1:3] for path in photos]
    assert shapes == [(16, 16), (11, 16), (44, 16), (5, 16)]
    steps = answers.metadata.input["preprocessing"]
    (resize,) = [step for step in steps if step["step"] == "resize"]
    assert (resize["height"], resize["width"]) == (None, 16)
    assert resize["longest_side"] == 1024


def test_a_photograph_is_seen_at_1024_pixels_at_most(any_size):
    answers = ClassifierAnswers(any_size, with_heatmap=False)
    image = Image.new("RGB", (4000, 30))
    assert answers.read(image).shape == (1, 8, 1024, 3)


def test_an_image_that_the_network_cannot_take_is_named(photos, tmp_path):
    """Too small for a convolution without padding."""
    images = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(3, 6)(images)
    model = CSGClassifier(keras.Model(images, maps), CLASSES)
    path = tmp_path / "a.onnx"
    write_as(get_format("onnx"), model, path)
    for source in (model, path):
        _, found = keras_csg.predict_images(source, photos)
        errors = {
            pathlib.Path(entry["image"]).stem: entry["error"]
            for entry in found
            if "error" in entry
        }
        assert "the model takes no image of 1x1" in errors["dot"]
        assert errors.keys() <= {"dot", "small"}
