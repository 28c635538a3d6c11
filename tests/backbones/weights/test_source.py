"""What cannot give weights says why, in one line and without being run."""

import os
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_csg.backbones.weights import load_weights, means_a_file
from tests.tiny import tiny_backbone, tiny_classifier


@pytest.mark.parametrize(
    "weights, is_path",
    [(None, False), ("imagenet", False), ("a.h5", True), ("imagenett", True)],
)
def test_a_name_is_one_that_some_backbone_knows(weights, is_path):
    assert means_a_file(weights) is is_path


def refused(path, match):
    """Asserts that a source is refused in one line."""
    backbone = tiny_backbone()
    with pytest.raises(ValueError, match=match) as raised:
        load_weights(backbone, path, backbone)
    assert len(str(raised.value).splitlines()) == 1


def test_nothing_there(tmp_path):
    refused(
        tmp_path / "no.h5", "'imagenet' or .*, or the path.*not there.*no.h5"
    )


def test_a_link_to_nothing(tmp_path):
    link = tmp_path / "link.weights.h5"
    link.symlink_to(tmp_path / "gone")
    refused(link, "nor links to one.*link.weights.h5")


def test_a_link_to_itself(tmp_path):
    link = tmp_path / "link.weights.h5"
    link.symlink_to(link)
    refused(link, "link.weights.h5")


def test_a_directory_that_is_no_run(tmp_path):
    refused(tmp_path, "this directory has no model.keras")


def test_a_run_that_is_not_finished(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    refused(tmp_path, "not finished. Go on with `keras-csg train --resume")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all"
)
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "a.weights.h5"
    tiny_backbone().save_weights(path)
    path.chmod(0)
    refused(path, "Cannot read .*a.weights.h5: Permission denied")


def test_a_file_whose_opening_fails_says_why(tmp_path, monkeypatch):
    """As without the right to read it: root may read everything."""
    path = tmp_path / "a.weights.h5"
    tiny_backbone().save_weights(path)

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    backbone = tiny_backbone()
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.open", refuse)
        with pytest.raises(ValueError, match="a.weights.h5: Permission den"):
            load_weights(backbone, path, backbone)


@pytest.mark.parametrize(
    "content", [b"", b"\x08\x07\x12\x07onnx", b"no weights", b"\x80\x04pickle"]
)
def test_a_file_of_another_kind(content, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    refused(path, "this file is none of them.*model.onnx")


@pytest.mark.parametrize("name", ["a.weights.h5", "a.keras"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_was_cut_off(name, share, tmp_path):
    model, path = tiny_classifier(), tmp_path / name
    if name.endswith(".keras"):
        model.save(path)
    else:
        model.save_weights(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, f"Cannot read .*{name}: ")


def test_a_damaged_model_file(tmp_path):
    path = tmp_path / "a.keras"
    tiny_classifier().save(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    refused(path, "Cannot read .*a.keras: ")


def test_a_zip_file_that_is_no_model(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("a.txt", "no model")
    refused(tmp_path / "a.keras", "Cannot read .*a.keras: ")
    (tmp_path / "a.keras").rename(tmp_path / "a.zip")
    refused(tmp_path / "a.zip", "Cannot read .*a.zip: ")


def test_no_code_of_a_file_is_run(tmp_path):
    images = keras.Input((8, 8, 3))
    x = keras.layers.Lambda(lambda x: x / 255, output_shape=(8, 8, 3))(images)
    model = keras.Model(images, keras.layers.Conv2D(6, 3, name="conv")(x))
    model.save(tmp_path / "a.keras")
    refused(tmp_path / "a.keras", "Cannot read .*ambda")


def test_hdf5_that_keras_3_did_not_write(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["conv/kernel"] = np.zeros(3)
    refused(tmp_path / "a.h5", "0 of 6 arrays fit.*conv, nothing there")
