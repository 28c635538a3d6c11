import numpy as np
import pytest
from PIL import Image

from keras_csg.deployment import Metadata
from keras_csg.deployment.formats.described import NoNumbersError
from keras_csg.deployment.prediction import predict_each, predict_files
from keras_csg.plots import maps as plots


class HandMade:
    """Gives every image the same answers, and keeps what it was given."""

    def __init__(self, **answers):
        self.answers = {name: np.array(v) for name, v in answers.items()}
        self.images = None
        self.metadata = Metadata(
            format="onnx",
            backbone="hand_made",
            class_names=["ant", "bee", "cat"],
            input={"shape": (None, 4, 8, 3), "dtype": "uint8"},
            outputs=dict.fromkeys(answers, ""),
        )

    def answer(self, images):
        self.images = images
        return {
            name: np.repeat(value[None], len(images), axis=0)
            for name, value in self.answers.items()
        }


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.png"
    Image.new("RGB", (16, 8), (200, 100, 0)).save(path)
    return path


def test_every_answer_is_put_into_words(image):
    source = HandMade(
        probabilities=[0.25, 0.125, 0.625],
        class_id=2,
        class_specific_probabilities=[0.5, 0.25, 0.25],
        filter_contributions=[2.5, -5.0, 1.25, 0.0, 1.25],
        gate_agreement=0.25,
    )
    assert predict_files(source, [image], top=2) == [
        {
            "image": str(image),
            "classes": [
                {"class_name": "cat", "probability": 0.625},
                {"class_name": "ant", "probability": 0.25},
            ],
            "class_specific": {"class_name": "ant", "probability": 0.5},
            "gate_agreement": 0.25,
            "filters": [
                {"filter": 0, "share": 0.25},
                {"filter": 2, "share": 0.125},
                {"filter": 4, "share": 0.125},
            ],
        }
    ]
    assert source.images.dtype == "uint8"
    np.testing.assert_array_equal(
        source.images, np.broadcast_to([200, 100, 0], (1, 4, 8, 3))
    )


def test_filters_are_called_what_a_person_calls_them(image):
    source = HandMade(
        probabilities=[0.25, 0.75],
        class_id=1,
        filter_contributions=[1.0, 3.0],
    )
    source.metadata.filter_names[1] = "striped flank"
    assert predict_files(source, [image])[0]["filters"] == [
        {"filter": 1, "share": 0.75, "name": "striped flank"},
        {"filter": 0, "share": 0.25},
    ]


def test_at_most_five_filters_are_named(image):
    source = HandMade(
        probabilities=[1.0, 0.0, 0.0],
        class_id=0,
        filter_contributions=np.arange(1, 9) / 36,
    )
    (prediction,) = predict_files(source, [image])
    assert [f["filter"] for f in prediction["filters"]] == [7, 6, 5, 4, 3]


def test_the_predicted_class_comes_first_of_equals(image):
    source = HandMade(probabilities=[0.5, 0.5, 0.0], class_id=1)
    (prediction,) = predict_files(source, [image], top=9)
    names = [entry["class_name"] for entry in prediction["classes"]]
    assert names == ["bee", "ant", "cat"]


@pytest.mark.parametrize("answers", [{"class_id": 1}, {"probabilities": [1]}])
def test_a_source_without_class_or_probabilities_is_refused(answers, image):
    with pytest.raises(ValueError, match="lacks (probabilities|class_id),"):
        predict_files(HandMade(**answers), [image])


def test_a_folder_for_pictures_is_made_with_the_first_one(tmp_path):
    image = tmp_path / "image.png"
    image.write_bytes(b"none")
    source = HandMade(
        probabilities=[1.0, 0.0, 0.0], class_id=0, heatmap=np.zeros((2, 2))
    )
    with pytest.raises(ValueError, match="image.png"):
        predict_files(source, [image], heatmaps=tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


def test_pictures_do_not_overwrite_images_or_each_other(image, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / image.name
    taken = tmp_path / "image.heatmap.png"
    for path in (other, taken):
        path.write_bytes(image.read_bytes())
    source = HandMade(
        probabilities=[1.0, 0.0, 0.0], class_id=0, heatmap=np.zeros((2, 2))
    )
    predictions = predict_files(
        source, [image, other, taken], heatmaps=tmp_path
    )
    assert taken.read_bytes() == image.read_bytes()
    assert [prediction["heatmap"] for prediction in predictions] == [
        str(tmp_path / name)
        for name in (
            "image-2.heatmap.png",
            "image-3.heatmap.png",
            "image.heatmap.heatmap.png",
        )
    ]


def test_a_cold_image_stays_as_it_is_but_larger(image, tmp_path):
    source = HandMade(
        probabilities=[1.0, 0.0, 0.0], class_id=0, heatmap=np.zeros((2, 2))
    )
    (prediction,) = predict_files(source, [image], heatmaps=tmp_path)
    picture = np.asarray(Image.open(prediction["heatmap"]))
    np.testing.assert_array_equal(
        picture, np.broadcast_to([200, 100, 0], (256, 512, 3))
    )


def test_heat_covers_the_image_by_its_degree(tmp_path):
    image = np.full((2, 4, 3), 100, "uint8")
    heatmap = np.array([[0.0, 0.0, 1.0, 1.0]] * 2)
    plots.save_overlay(image, heatmap, tmp_path / "a.png")
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(picture[:, :2], image[:, :2])
    # The warmest colour of inferno is (252, 255, 164).
    warm = np.round(0.3 * 100 + 0.7 * np.array([252, 255, 164]))
    assert np.abs(picture[:, 2:] - warm).max() <= 1


def test_a_model_that_fails_is_an_error_of_each_image(image):
    source = HandMade(probabilities=[0.5, 0.5, 0.0], class_id=1)

    def fail(images):
        raise RuntimeError("node 44\nfailed to prepare")

    source.answer = fail
    found = list(predict_each(source, [image, image]))
    assert len(found) == 2
    for prediction in found:
        fault = "(RuntimeError: node 44 failed to prepare)"
        assert prediction["error"].endswith(f"fails to answer {fault}")


def test_images_without_numbers_do_not_cost_the_others(image):
    source = HandMade(probabilities=[0.5, 0.5, 0.0], class_id=1)
    answer = source.answer

    def answer_few(images):
        if len(images) > 1:
            raise NoNumbersError("no numbers")
        return answer(images)

    source.answer = answer_few
    found = list(predict_each(source, [image, image]))
    assert [p["classes"][0]["class_name"] for p in found] == ["bee", "bee"]
