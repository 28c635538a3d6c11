"""A file that is not as it was written is damage, in one line."""

import json
import shutil
import zipfile

import pytest

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.trained import some_images, trained_classifier, write_as
from tests.source_tree import ROOT

PARTS = {
    "onnx": ("a.onnx", "a.onnx"),
    "litert": ("a.tflite", "a.tflite"),
    "saved_model": ("a", "a/variables/variables.data-00000-of-00001"),
    "openvino": ("a", "a/model.bin"),
}
OLD = ROOT / "tests/compatibility/0.1.0/run/export"


@pytest.fixture(scope="module", params=PARTS)
def written(request, tmp_path_factory):
    """Folder, path of a model and path of the part with its weights."""
    kind = get_format(request.param)
    if kind.missing():
        pytest.skip(kind.missing())
    folder = tmp_path_factory.mktemp(request.param)
    name, part = PARTS[request.param]
    model = trained_classifier(class_names=["aaa", "bbb", "ccc", "ddd"])
    write_as(kind, model, folder / name)
    return folder, folder / name, folder / part


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)


def test_what_was_written_is_opened(written):
    folder, path, _ = written
    metadata = keras_csg.read_metadata(path)
    assert set(metadata.digest) == {"model", "description"}
    opened = keras_csg.open_exported(path)
    assert opened.answer(some_images(2))["probabilities"].shape == (2, 4)


@pytest.mark.parametrize("share", [0.1, 0.35, 0.6, 0.85])
def test_a_flipped_bit_is_damage(written, share, tmp_path):
    folder, path, part = written
    shutil.copytree(folder, tmp_path / "copy")
    copy = tmp_path / "copy" / part.relative_to(folder)
    flip(copy, int(share * copy.stat().st_size))
    with pytest.raises(ValueError, match="damaged|no LiteRT|not opened") as e:
        keras_csg.open_exported(tmp_path / "copy" / path.name)
    assert "\n" not in str(e.value)


def test_a_flipped_name_of_a_class_is_damage(written, tmp_path):
    folder, path, _ = written
    if path.suffix == ".tflite":
        pytest.skip("its archive has a sum of its own")
    shutil.copytree(folder, tmp_path / "copy")
    for file in (tmp_path / "copy").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            if b'\\"bbb\\"' not in content and b'"bbb"' in content:
                file.write_bytes(content.replace(b'"bbb"', b'"bbc"'))
    with pytest.raises(ValueError, match="damaged: they were changed after"):
        keras_csg.open_exported(tmp_path / "copy" / path.name)


def test_what_was_read_is_written_again_as_it_was(written):
    metadata = keras_csg.read_metadata(written[1])
    again = type(metadata).from_json(metadata.to_json())
    assert again.to_json() == metadata.to_json()


@pytest.mark.parametrize("name", ["model.onnx", "model.tflite", "saved_model"])
def test_files_of_before_have_none_and_are_opened(name):
    assert keras_csg.read_metadata(OLD / name).digest is None
    keras_csg.open_exported(OLD / name)


def test_an_onnx_file_is_still_one_for_others(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = write_as(
        get_format("onnx"), trained_classifier(), tmp_path / "a.onnx"
    )
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    properties = {entry.key for entry in proto.metadata_props}
    assert properties == {"class_names", "keras_csg"}
    # Written anew by another program it says the same, and is what it was.
    onnx.save(proto, tmp_path / "b.onnx")
    keras_csg.open_exported(tmp_path / "b.onnx")


def test_a_description_without_digest_is_taken_as_it_is(tmp_path):
    path = write_as(
        get_format("saved_model"), trained_classifier(), tmp_path / "model"
    )
    file = path / "assets.extra/keras_csg.json"
    values = json.loads(file.read_text())
    del values["digest"]
    values["class_names"] = ["w", "x", "y", "z"]
    file.write_text(json.dumps(values))
    assert keras_csg.open_exported(path).metadata.class_names[0] == "w"


def test_a_litert_file_ends_where_its_archive_begins(tmp_path):
    path = write_as(
        get_format("litert"), trained_classifier(), tmp_path / "a.tflite"
    )
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    flip(path, 200)
    with pytest.raises(ValueError, match="damaged"):
        keras_csg.open_exported(path)
