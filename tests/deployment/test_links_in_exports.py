"""Links in an exported folder that lead out of it are refused."""

import pytest

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.trained import some_images, trained_classifier, write_as

FILES = [
    "saved_model.pb",
    "variables",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
    "assets.extra",
    "assets.extra/keras_csg.json",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return write_as(
        get_format("saved_model"), trained_classifier(), folder / "model"
    )


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_a_part_that_lies_elsewhere_is_refused(name, trust, path, tmp_path):
    moved, link = tmp_path / "moved", path / name
    link.rename(moved)
    link.symlink_to(moved, target_is_directory=moved.is_dir())
    try:
        with pytest.raises(ValueError, match=f"{name} is a link that leads o"):
            keras_csg.open_exported(path, trust=trust)
        with pytest.raises(ValueError, match="leads out of"):
            keras_csg.read_metadata(path)
    finally:
        link.unlink()
        moved.rename(link)


def test_the_folder_itself_may_be_a_link(path, tmp_path):
    (tmp_path / "link").symlink_to(path, target_is_directory=True)
    opened = keras_csg.open_exported(tmp_path / "link")
    assert len(opened.answer(some_images(1))["probabilities"]) == 1


def test_a_version_elsewhere_is_refused(path, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/1").symlink_to(path, target_is_directory=True)
    with pytest.raises(ValueError, match="1 was not opened: it leads out of"):
        keras_csg.open_exported(tmp_path / "model")
