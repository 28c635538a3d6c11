"""Exports and predictions of images that may have several classes."""

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.commands import write_predictions
from keras_csg.data.label_sets import joined
from keras_csg.deployment.proof import ProofError, prove
from tests.deployment.test_prediction import HandMade
from tests.deployment.trained import some_images, trained_classifier
from tests.tiny import CLASSES

NAMES = ["ant", "bee", "cat", "dog"]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, "float64")))


@pytest.fixture(scope="module", params=[True, False], ids=["gated", "standard"])
def model(request):
    return trained_classifier(
        gated=request.param, multi_label=True, class_names=NAMES
    )


@pytest.mark.parametrize("name", ["model.onnx", "model", "model.tflite"])
def test_files_answer_with_sigmoids(model, tmp_path, name):
    images = some_images(9)
    logits = model.predict(images, verbose=0)
    labels = (logits >= 0).astype("float32")
    labels[0, 0] = 1 - labels[0, 0]
    path = tmp_path / name
    report = keras_csg.export(model, path, images=images, labels=labels)
    assert report["agreement"] == 1
    assert report["accuracy"] == report["keras_accuracy"] == 8 / 9
    opened = keras_csg.open_exported(path)
    assert opened.metadata.multi_label
    assert "by itself" in opened.metadata.outputs["probabilities"]
    answers = opened.answer(images)
    np.testing.assert_allclose(
        answers["probabilities"], sigmoid(logits), atol=1e-5
    )
    best = logits.argmax(axis=1)
    np.testing.assert_array_equal(answers["class_id"], best)
    features = np.asarray(model.features(images), "float64")
    kernel = np.asarray(model.head.kernel, "float64")
    if model.gated:
        gate = np.asarray(model.gate.gate_matrix).T
        specific = sigmoid(features @ (kernel * gate) + model.head.bias)
        np.testing.assert_allclose(
            answers["class_specific_probabilities"], specific, atol=1e-5
        )
        kernel = kernel * gate
    # Nothing is taken off: a sigmoid does not allow a shift of all logits.
    evidence = (features @ kernel)[np.arange(9), best]
    np.testing.assert_allclose(answers["evidence"], evidence, atol=1e-4)


def test_a_quantised_file_must_name_the_same_classes(tmp_path):
    class Flipped(HandMade):
        """Of one image in two another class is there."""

        def answer(self, images):
            answers = super().answer(images)
            answers["probabilities"][::2, 1] = 0.4
            return answers

    opened = Flipped(probabilities=[0.9, 0.6, 0.1], class_id=0)
    object.__setattr__(opened.metadata, "multi_label", True)
    object.__setattr__(opened.metadata, "quantization", "int8")
    opened.runtime = "by hand"

    def answering(images, training):
        same = HandMade(probabilities=[0.9, 0.6, 0.1], class_id=0)
        return same.answer(images)

    images = np.zeros((8, 4, 8, 3))
    with pytest.raises(ProofError, match="of 50.0% of the images"):
        prove(answering, opened, images, batch_sizes=(8,))


def test_labels_are_as_those_of_the_training(model, tmp_path):
    with pytest.raises(ValueError, match=r"zeros and ones of shape \(3, 4\)"):
        keras_csg.export(
            model,
            tmp_path / "model.onnx",
            images=some_images(3),
            labels=np.zeros(3, int),
        )


def test_all_that_is_there_is_predicted(tmp_path):
    source = HandMade(
        probabilities=[0.75, 0.125, 0.5],
        class_id=0,
        class_specific_probabilities=[0.25, 0.0, 0.25],
    )
    object.__setattr__(source.metadata, "multi_label", True)
    path = tmp_path / "image.png"
    Image.new("RGB", (8, 4)).save(path)
    (found,) = keras_csg.predict(source, path, top=1)
    ant = {"class_name": "ant", "probability": 0.75}
    cat = {"class_name": "cat", "probability": 0.5}
    assert found["classes"] == found["present"] == [ant, cat]
    assert found["class_specific"] == []
    assert found["probabilities"] == {"ant": 0.75, "bee": 0.125, "cat": 0.5}
    (found,) = keras_csg.predict(source, path, top=3)
    assert len(found["classes"]) == 3 and len(found["present"]) == 2
    out = tmp_path / "found.csv"
    list(write_predictions([found], out))
    row = out.read_text().splitlines()[1]
    assert row == f"{path},ant|cat,0.75|0.5,-,,,,,,"


def test_a_table_has_names_that_print(tmp_path):
    entry = {"class_name": "cat\x1b[31m", "probability": 1.0}
    out = tmp_path / "found.csv"
    list(write_predictions([{"image": "a.png", "classes": [entry]}], out))
    assert r"a.png,cat\x1b[31m,1.0" in out.read_text()


def test_a_classifier_predicts_as_its_file_does(model, tmp_path):
    paths = []
    for number, pixels in enumerate(some_images(3, dtype="uint8")):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    images = np.stack([np.asarray(Image.open(path)) for path in paths])
    logits = model.predict(images, verbose=0)
    for row, found in zip(logits, keras_csg.predict(model, paths), strict=True):
        names = [entry["class_name"] for entry in found["present"]]
        order = np.argsort(-row)
        assert names == [NAMES[n] for n in order if row[n] >= 0]
        assert len(found["probabilities"]) == CLASSES
        assert joined([]) == "-"
