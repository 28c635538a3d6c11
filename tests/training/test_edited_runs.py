"""Edited runs on folders of images, whose splits have to stay."""

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg import InputError
from keras_csg.training import Run, open_run
from keras_csg.training.edited_runs import edit_of, new_run

COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}


@pytest.fixture
def folder(tmp_path):
    """Thirty images of each of three colours."""
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(30):
            pixels = colour + rng.integers(0, 55, (8, 8, 3))
            image = Image.fromarray(pixels.astype("uint8"))
            image.save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def run(folder, tiny_name, tmp_path):
    out = tmp_path / "run"
    keras_csg.train(
        out, data=folder, backbone=tiny_name, epochs=1, image_size=8, log=None
    )
    return Run(out)


def test_images_stay_in_their_splits(run, tmp_path):
    keras_csg.edit_run(run, tmp_path / "out", remove_class="green", log=None)
    new = open_run(tmp_path / "out")
    before, after = run.read_listing(), new.read_listing()
    assert list(after.class_names) == ["blue", "red"]
    for split in ("train", "validation", "test"):
        left = {n for n in before.images[split] if "green" not in n}
        assert set(after.images[split]) == left
    trained = {
        before.contents[path]
        for split in ("train", "validation")
        for path in before.images[split]
        if "green" in path
    }
    # What it was trained on is known, also of the class that is gone.
    assert set(after.seen) == trained
    lines = []
    keras_csg.evaluate(new, log=lines.append)
    assert not any("has changed" in line for line in lines)


def test_moved_data_are_found_by_the_new_run(run, folder, tmp_path):
    moved = folder.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="data_dir"):
        keras_csg.edit_run(run, tmp_path / "a", remove_class="red", log=None)
    assert not (tmp_path / "a").exists()
    keras_csg.edit_run(
        run, tmp_path / "b", remove_class="red", data_dir=moved, log=None
    )
    assert keras_csg.evaluate(tmp_path / "b", log=None)["examples"] > 0


def test_a_run_without_all_filters_is_no_start_for_training(run, tmp_path):
    keras_csg.edit_run(run, tmp_path / "out", remove_filters=2, log=None)
    record = edit_of(Run(tmp_path / "out"))
    assert record["filters"] == record["filters_before"] - 1
    assert edit_of(run) is None
    with pytest.raises(InputError, match="builds tiny anew, and .* has"):
        keras_csg.train(init=tmp_path / "out", data="digits", log=None)


def test_a_run_that_lost_classes_alone_is_a_start(folder, tiny_name, tmp_path):
    out = tmp_path / "standard"
    common = {"data": folder, "backbone": tiny_name, "image_size": 8}
    keras_csg.train(out, standard=True, epochs=1, log=None, **common)
    keras_csg.edit_run(out, tmp_path / "two", remove_class="red", log=None)
    figures = keras_csg.train(
        tmp_path / "on",
        init=tmp_path / "two",
        standard=True,
        data=folder,
        classes="blue,green",
        epochs=1,
        log=None,
    )
    assert len(figures["class_recall"]) == 2


def test_what_fails_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError, match="in the middle"):
        with new_run(tmp_path / "out") as run:
            run.path.mkdir()
            run.write_metrics({})
            raise RuntimeError("in the middle")
    assert not any(tmp_path.iterdir())
