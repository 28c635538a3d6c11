"""A link in a run that leads out of it is refused, whoever reads or writes."""

import os
import shutil

import keras
import pytest

import keras_csg
from keras_csg.data import load_data
from keras_csg.training import Run, TrainingOptions, open_run
from keras_csg.training.named_filters import keep_filter_names
from tests.tiny_run import make_tiny_run

OUT = "is a link that leads out of"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    keras.utils.set_random_seed(3)
    path = tmp_path_factory.mktemp("runs") / "run"
    return make_tiny_run(path, load_data("digits", image_size=8))


@pytest.fixture
def run(whole, tmp_path):
    """A run of links to another's files would be refused: it is a copy."""
    return shutil.copytree(whole, tmp_path / "run")


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with a file that is nobody's here."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "epoch-0001.npz").write_bytes(b"of somebody else")
    return folder


def assert_untouched(folder):
    assert os.listdir(folder) == ["epoch-0001.npz"]
    assert (folder / "epoch-0001.npz").read_bytes() == b"of somebody else"


COMMANDS = {
    "export": lambda run: keras_csg.commands.export_run(run, formats="onnx"),
    "filters": lambda run: keras_csg.filters(run),
    "logs": lambda run: keras_csg.train(run, resume=True, epochs=2),
    "backup": lambda run: keras_csg.train(run, resume=True),
    "detector": lambda run: open_run(run),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_elsewhere_is_left_alone(name, run, elsewhere):
    (run / name).symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(ValueError, match=f"{name} {OUT} .*run: put what"):
        COMMANDS[name](run)
    assert_untouched(elsewhere)


def test_an_unfinished_run_is_not_gone_on_with(run, elsewhere):
    (run / "model.keras").unlink()
    (run / "backup").symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(ValueError, match=f"backup {OUT}"):
        keras_csg.train(run, resume=True)
    with pytest.raises(ValueError, match=f"backup {OUT}"):
        Run(run).lock()
    assert_untouched(elsewhere)


@pytest.mark.parametrize("name", ["model.keras", "config.json", "deep/a.png"])
def test_files_are_no_exception(name, run, tmp_path):
    link = run / name
    link.parent.mkdir(exist_ok=True)
    target = tmp_path / "target"
    if link.exists():
        link.rename(target)
    link.symlink_to(target)  # Whether there is something or not.
    with pytest.raises(ValueError, match=OUT):
        open_run(run)


def test_a_new_run_does_not_write_through_a_link(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/images.json.gz").symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match=OUT):
        Run(tmp_path / "run").create(TrainingOptions())
    assert not (tmp_path / "other").exists()


def test_names_are_not_written_through_a_link(run, tmp_path):
    (run / "model.keras").rename(tmp_path / "model.keras")
    (run / "model.keras").symlink_to(tmp_path / "model.keras")
    before = (tmp_path / "model.keras").read_bytes()
    with pytest.raises(ValueError, match=OUT):
        keep_filter_names(Run(run), {1: "ear"})
    assert (tmp_path / "model.keras").read_bytes() == before


def test_a_link_to_the_run_and_one_within_are_taken(run, tmp_path):
    (run / "best.keras").symlink_to("model.keras")
    (tmp_path / "link").symlink_to(run, target_is_directory=True)
    assert open_run(tmp_path / "link").load_model()
