"""What a person changed since an export is not replaced by the next one."""

import json

import pytest

import keras_csg
from tests.deployment.test_overwriting import assert_spared
from tests.tiny import tiny_classifier


@pytest.fixture(scope="module")
def model():
    return tiny_classifier(class_names=["a", "b", "c", "d"])


@pytest.mark.parametrize(
    "name, changed",
    [
        ("model.onnx.labels.json", ["A", "b", "c", "d"]),
        ("model.onnx.json", None),
    ],
)
def test_what_a_person_changed_beside_a_model_is_spared(
    model, tmp_path, name, changed
):
    keras_csg.export(model, tmp_path / "model.onnx")
    if changed is None:
        changed = json.loads((tmp_path / name).read_text())
        changed["filter_names"] = {"0": "ears"}
        # With it, the file would not even be read as ours.
        del changed["digest"]
    (tmp_path / name).write_text(json.dumps(changed))
    assert_spared(
        tmp_path,
        f"{name} is not as an export wrote it.*move it away",
        lambda: keras_csg.export(
            model, tmp_path / "model.onnx", overwrite=True
        ),
    )


def test_labels_that_a_person_changed_in_a_folder_are_spared(model, tmp_path):
    path = tmp_path / "saved_model"
    keras_csg.export(model, path, outputs=["class_id"])
    (path / "assets.extra" / "labels.txt").write_text("A\nB\nC\nD\n")
    assert_spared(
        tmp_path,
        "labels.txt is not as an export wrote it.*move it away",
        lambda: keras_csg.export(model, path, overwrite=True),
    )
