"""Folders of images at an address."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg import load_data

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def address(write_images):
    """Two classes of 20 images at an address in memory."""
    write_images("photos/cat", 20)
    folder = write_images("photos/dog", 20, first=100) / "photos"
    memory = fsspec.filesystem("memory")
    memory.put(str(folder), "/bucket/photos", recursive=True)
    yield "memory://bucket/photos"
    memory.rm("/bucket", recursive=True)


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


def levels(data):
    splits = (data.train, data.validation, data.test)
    return [
        sorted(s.images_and_labels()[0][:, 0, 0, 0].tolist()) for s in splits
    ]


def test_it_is_as_a_folder(address, tmp_path):
    data = load_data(address)
    assert data.name == address and data.class_names == ["cat", "dog"]
    assert levels(data) == levels(load_data(tmp_path / "photos"))


def test_nothing_is_copied_twice(address):
    lines = []
    first = levels(load_data(address, log=lines.append))
    assert "40 files, 40 of them to copy" in lines[0]
    again = levels(load_data(address, log=lines.append))
    assert again == first
    assert any("40 files, 0 of them to copy" in line for line in lines)


def test_what_changed_there_changes_here(address, tmp_path):
    load_data(address)
    memory = fsspec.filesystem("memory")
    memory.rm("/bucket/photos/cat/000.png")
    memory.pipe("/bucket/photos/cat/001.png", b"broken")
    with pytest.raises(ValueError, match="one .* in a hundred may be broken"):
        load_data(address)
    memory.rm("/bucket/photos/cat/001.png")
    data = load_data(address)
    assert_array_equal(
        data.train.class_counts
        + data.validation.class_counts
        + data.test.class_counts,
        [18, 20],
    )
    kept = {path.name for path in (tmp_path / "caches").rglob("*.png")}
    assert {"000.png", "001.png"}.isdisjoint(kept)


def test_the_user_says_where_the_copies_are(address, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    load_data(address, data_dir=own)
    assert len(list(own.rglob("*.png"))) == 40
    assert not list(own.glob("*.png")) and not (own / "cat").exists()
    assert (own / "notes.txt").read_text() == "mine"


def test_a_class_that_went_there_goes_here(address, tmp_path):
    memory = fsspec.filesystem("memory")
    for number in range(9):
        image = (tmp_path / f"photos/cat/00{number}.png").read_bytes()
        memory.pipe(f"/bucket/photos/eel/{number}.png", image + b"0")
    assert load_data(address).class_names == ["cat", "dog", "eel"]
    memory.rm("/bucket/photos/eel", recursive=True)
    assert load_data(address).class_names == ["cat", "dog"]


@pytest.mark.parametrize(
    "name, message",
    [
        ("memory://nowhere/photos", "no files at memory://nowhere/photos"),
        ("memory://bucket/photos/cat/000.png", "000.png is a file"),
        (
            "strange://bucket",
            "Cannot read strange://bucket: Protocol not known",
        ),
    ],
)
def test_mistakes_are_one_line(address, name, message):
    with pytest.raises(ValueError, match=message):
        load_data(name)


def test_a_run_keeps_the_address(address, tmp_path):
    from keras_csg.data.sources.known import find_source
    from keras_csg.data.sources.request import checked_request

    request = checked_request(address)
    source = find_source(address)(request)
    assert source.lasting_name() == address
    assert source.moved_name(address, tmp_path) == address
    assert np.all([s > 0 for s in source.load().test.class_counts])
