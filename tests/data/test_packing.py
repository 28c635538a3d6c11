"""A folder as a set of record files."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from numpy.testing import assert_array_equal
from PIL import Image

import keras_csg
from keras_csg.data.packing import pack_name

COUNT = 20


@pytest.fixture
def folder(tmp_path):
    """Upright and turned JPEG, and transparent PNG files of two classes."""
    root = tmp_path / "My Photos"
    exif = Image.Exif()
    exif[274] = 6  # To be turned by a quarter.
    for number in range(2 * COUNT):
        name = "dog" if number % 2 else "cat"
        (root / name).mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((12, 16, 4), "uint8")
        pixels[:, 8:] = [5 * number, 250, 0, 255]
        image = Image.fromarray(pixels)
        if number % 3:
            path = root / name / f"{number:03}.jpg"
            turned = {"exif": exif} if number % 3 == 1 else {}
            image.convert("RGB").save(path, quality=95, **turned)
        else:
            image.save(root / name / f"{number:03}.png")
    return root


def by_green_and_red(split):
    images, labels = split.images_and_labels()
    order = np.lexsort(images.reshape(len(images), -1).T)
    return images[order], labels[order]


def test_a_training_sees_the_same(folder, tmp_path):
    path = keras_csg.pack(folder, tmp_path / "sets", log=None)
    assert path == tmp_path / "sets" / "my_photos" / "1.0.0"
    assert not list((tmp_path / "sets").glob(".*"))
    expected = keras_csg.load_data(folder, image_size=8)
    for cache in (True, False):
        found = keras_csg.load_data(
            "my_photos", data_dir=tmp_path / "sets", image_size=8, cache=cache
        )
        assert found.class_names == ["cat", "dog"]
        for name in ("train", "validation", "test"):
            ours, theirs = (
                by_green_and_red(getattr(data, name))
                for data in (expected, found)
            )
            assert_array_equal(ours[0], theirs[0])
            assert_array_equal(ours[1], theirs[1])


def test_files_stay_as_they_are_or_are_shrunk(folder, tmp_path):
    files = {path.read_bytes() for path in folder.rglob("*.*")}
    for side in (None, 6, 12):
        path = keras_csg.pack(
            folder,
            tmp_path / "sets",
            name=f"photos_{side or 0}",
            shorter_side=side,
            log=None,
        )
        builder = tfds.builder_from_directory(path)
        decoders = {"image": tfds.decode.SkipDecoding()}
        packed = [
            bytes(example["image"])
            for split in ("train", "validation", "test")
            for example in builder.as_dataset(
                split, decoders=decoders
            ).as_numpy_iterator()
        ]
        assert len(packed) == 2 * COUNT
        if side != 6:
            assert {*packed} == files
            continue
        images = [Image.open(io.BytesIO(encoded)) for encoded in packed]
        assert {image.format for image in images} == {"JPEG"}
        assert {image.size for image in images} == {(8, 6), (6, 8)}


def test_what_is_there_stays(folder, tmp_path):
    keras_csg.pack(folder, tmp_path / "sets", log=None)
    with pytest.raises(keras_csg.InputError, match="is there already: give"):
        keras_csg.pack(folder, tmp_path / "sets", log=None)
    with pytest.raises(keras_csg.InputError, match="`name` must be made of"):
        keras_csg.pack(folder, tmp_path / "sets", name="A/b", log=None)
    with pytest.raises(keras_csg.InputError, match="must be a folder of im"):
        keras_csg.pack("digits", tmp_path / "sets", log=None)
    assert [p.name for p in (tmp_path / "sets").iterdir()] == ["my_photos"]


def test_nothing_is_left_of_what_was_stopped(folder, tmp_path):
    def stopping(files, what, total):
        yield files[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keras_csg.pack(folder, tmp_path / "sets", log=None, track=stopping)
    assert not list((tmp_path / "sets").iterdir())


def test_the_command(folder, tmp_path, capsys, monkeypatch):
    from keras_csg_cli.main import main

    monkeypatch.chdir(tmp_path)
    args = ["pack", str(folder), "sets", "--name", "a", "--classes", "dog,cat"]
    with pytest.raises(SystemExit) as end:
        main(args)
    assert end.value.code == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    line = printed.err.strip().splitlines()[-1]
    assert line.endswith("keras-csg train --data a --data-dir sets")
    data = keras_csg.load_data("a", data_dir=tmp_path / "sets")
    assert data.class_names == ["dog", "cat"]


@pytest.mark.parametrize(
    "path, name",
    [("/a/My Photos-2", "my_photos_2"), ("x/2024", "set_2024"), ("猫", "set")],
)
def test_names_of_folders(path, name):
    assert pack_name(Path(path)) == name
