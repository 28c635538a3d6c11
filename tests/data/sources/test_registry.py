import subprocess
import sys
from pathlib import Path

import pytest

from keras_csg.data import (
    ClassificationData,
    Source,
    list_datasets,
    load_annotated,
    load_data,
    moved_name,
    register_source,
)
from keras_csg.data.sources import FolderSource, find_source, registry


@pytest.fixture
def own_registry(monkeypatch):
    """Forgets afterwards what a test registers."""
    monkeypatch.setattr(registry, "_NAMED", dict(registry._NAMED))
    monkeypatch.setattr(registry, "_KINDS", list(registry._KINDS))


def test_list_datasets_begins_with_what_needs_nothing():
    names = list_datasets()
    assert names[:2] == ["digits", "shapes"]
    assert {"cifar10", "cifar100", "imagenet2012", "mnist"} <= set(names)
    # Text, several labels, and a set of boxes.
    assert not {"imdb_reviews", "celeb_a", "voc"} & set(names)


def test_a_name_can_be_registered_once():
    with pytest.raises(ValueError, match="Received: name='digits', taken"):
        register_source("digits")(print)


def test_of_two_names_with_one_taken_none_is_registered(own_registry):
    with pytest.raises(ValueError, match="Received: name='shapes', taken"):
        register_source("fresh", "shapes")(Source)
    register_source("fresh")(Source)


@pytest.fixture
def pair_source(own_registry):
    """A kind of data with a name, and with names that end in `.pair`."""

    @register_source("pair")
    class PairSource(Source):
        @classmethod
        def means(cls, name, data_dir):
            return name.endswith(".pair")

        def load(self):
            digits = load_data("digits", image_size=self.request.image_size)
            splits = digits.train, digits.validation, digits.test
            return ClassificationData(
                self, digits.class_names, digits.image_shape, *splits
            )

    return PairSource


def test_a_new_kind_of_data_is_one_class(pair_source):
    assert "pair" in list_datasets()
    for name in ("pair", "some/where.pair"):
        data = load_data(name, image_size=8)
        assert data.name == name and isinstance(data.source, pair_source)
        found = load_annotated(data, limit=5)
        assert found.images.shape == (5, 8, 8, 3) and found.masks is None
        with pytest.raises(ValueError, match="belong to a folder of images"):
            load_annotated(data, masks="masks")


def test_a_kind_registered_later_is_asked_first(pair_source, tmp_path):
    folder = tmp_path / "animals.pair"
    folder.mkdir()
    assert find_source(str(folder)) is pair_source
    assert find_source(str(tmp_path)) is FolderSource


def test_a_folder_wins_over_a_data_set_of_its_name(flat_folder, monkeypatch):
    flat_folder = flat_folder.rename(flat_folder.parent / "cifar10")
    monkeypatch.chdir(flat_folder.parent)
    data = load_data(Path("cifar10"))
    assert data.class_names == ["cat", "dog"]


def test_a_built_in_set_wins_over_a_folder_of_its_name(tmp_path, monkeypatch):
    for name in ("digits", "shapes"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_source("digits") is not FolderSource
    assert find_source("shapes") is not FolderSource


def test_a_folder_that_moved_is_called_by_its_new_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    for name in ("old", "gone", "gone/too", "./gone", "../gone", "/gone"):
        assert moved_name(name, tmp_path / "new") == str(tmp_path / "new")


def test_other_data_keep_their_names(prepare_tfds):
    data_dir = prepare_tfds({"train": [0, 1, 2] * 10})
    for name in ("digits", "cifar10", "mnist:3.0.1", "tiny_set:1.0.0"):
        assert moved_name(name, data_dir) == name


SCRIPT = """
import sys
from keras_csg.data import load_annotated, load_data, moved_name
data = load_data(sys.argv[1])
load_annotated(data)
moved_name(sys.argv[1], "elsewhere")
load_data("digits")
assert "tensorflow_datasets" not in sys.modules
"""


@pytest.mark.slow
def test_only_a_set_of_it_imports_tensorflow_datasets(flat_folder):
    boxes = "file,box_x0,box_y0,box_x1,box_y1\n" + "".join(
        f"{animal}/{number:03}.png,0,0,9,9\n"
        for animal, first in (("cat", 0), ("dog", 100))
        for number in range(first, first + 20)
    )
    (flat_folder / "boxes.csv").write_text(boxes)
    subprocess.run([sys.executable, "-c", SCRIPT, str(flat_folder)], check=True)
