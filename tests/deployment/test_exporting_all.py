"""Several files of one classifier, on the images of its data."""

import numpy as np
import pytest

import keras_csg
from keras_csg.deployment import (
    export_all,
    exporting_all,
    plan_targets,
    proof_images,
)
from keras_csg.models import CSGClassifier
from tests.tiny import tiny_backbone


@pytest.fixture(scope="module")
def digits():
    return keras_csg.load_data("digits", image_size=8)


@pytest.fixture(scope="module")
def model(digits):
    return CSGClassifier(tiny_backbone(20), 10, class_names=digits.class_names)


def test_each_file_is_begun_written_and_reported(model, tmp_path):
    targets = plan_targets(tmp_path, ["onnx", "litert"])
    events = []
    proofs, failures = export_all(
        model,
        targets,
        on_begin=lambda target: events.append((target, None)),
        on_done=lambda target, result: events.append((target, result)),
        outputs=["probabilities"],
    )
    assert not failures
    assert [proof["path"] for proof in proofs] == [str(t.path) for t in targets]
    onnx, litert = targets
    assert events == [
        (onnx, None),
        (onnx, proofs[0]),
        (litert, None),
        (litert, proofs[1]),
    ]
    for proof, target in zip(proofs, targets, strict=True):
        assert proof["proof_images"] == "random"
        assert list(proof["gaps"]) == ["probabilities"]
        assert keras_csg.read_metadata(target.path).format == target.format


def test_proof_is_on_the_validation_split_and_calibration_on_training(
    digits, monkeypatch
):
    monkeypatch.setattr(proof_images, "CALIBRATION_IMAGES", 40)
    images, labels = digits.validation.images_and_labels()
    chosen = proof_images.choose_images(digits)
    np.testing.assert_array_equal(chosen["images"], images)
    np.testing.assert_array_equal(chosen["labels"], labels)
    assert set(chosen) == {"images", "labels"}
    calibration = proof_images.choose_images(digits, "int8")["calibration"]
    training, classes = digits.train.images_and_labels()
    by_content = {
        image.tobytes(): label
        for image, label in zip(training, classes, strict=True)
    }
    found = [by_content[image.tobytes()] for image in calibration]
    assert np.bincount(found).tolist() == [4] * 10


def test_eight_bits_are_proved_on_more_images(digits, monkeypatch):
    monkeypatch.setattr(proof_images, "PROOF_IMAGES", 10)
    monkeypatch.setattr(proof_images, "INT8_PROOF_IMAGES", 20)
    assert len(proof_images.choose_images(digits)["images"]) == 10
    assert len(proof_images.choose_images(digits, "float16")["images"]) == 10
    assert len(proof_images.choose_images(digits, "int8")["images"]) == 20


def test_eight_bits_need_data_and_the_other_files_do_not(model, tmp_path):
    targets = plan_targets(tmp_path, ["litert"], ["int8"])
    proofs, failures = export_all(model, targets, missing_data="they moved")
    assert [proof["quantization"] for proof in proofs] == [None]
    (path,) = failures
    assert path == tmp_path / "model-int8.tflite" and not path.exists()
    assert str(failures[path]) == (
        "int8 is calibrated on training images of the run: say where they "
        "are with `data_dir`. Received: they moved"
    )


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("a bug")])
def test_what_fails_is_handed_back_and_the_rest_is_written(
    error, model, tmp_path, monkeypatch
):
    real, results = exporting_all.export, []

    def export(model, path, format, **kwargs):
        if format == "onnx":
            raise error
        return real(model, path, format, **kwargs)

    monkeypatch.setattr(exporting_all, "export", export)
    onnx, litert = targets = plan_targets(tmp_path, ["onnx", "litert"])
    proofs, failures = export_all(
        model, targets, on_done=lambda *result: results.append(result)
    )
    assert failures == {onnx.path: error}
    assert results == [(onnx, error), (litert, proofs[0])]
    assert litert.path.exists() and not onnx.path.exists()
