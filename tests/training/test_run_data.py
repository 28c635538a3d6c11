"""A run knows its images, whatever becomes of the folder."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.data.listing import Listing
from keras_csg.training import Run, load_run_data
from tests.training.photos import Halt, data_of, levels, train, write

pytestmark = pytest.mark.usefixtures("tiny")


def test_the_run_keeps_the_list(photo_run):
    run = Run(photo_run / "run")
    listing = run.read_listing()
    paths = sorted(listing.split_of())
    expected = [f"cat/{n:03}.png" for n in range(30)]
    assert paths == expected + [f"dog/{n}.png" for n in range(100, 130)]
    sizes = listing.sizes()
    file = photo_run / "photos" / "cat" / "003.png"
    assert sizes["cat/003.png"] == file.stat().st_size
    assert run.options.data == str(photo_run / "photos")


def test_nothing_is_said_of_what_is_as_it_was(root):
    data, lines = data_of(root)
    assert data.changes == ""
    assert not any("changed" in line for line in lines)


def test_added_and_deleted_images_move_no_other(root):
    before, _ = data_of(root)
    gone = sorted(levels(before.train))[0]
    next((root / "photos").glob(f"*/{gone:03}.png")).unlink()
    write(root / "photos" / "cat", range(30, 60))
    write(root / "photos" / "dog", [129])
    # One that the hash alone would put elsewhere is where it was.
    listing = Run(root / "run").read_listing()
    images = {split: dict(files) for split, files in listing.images.items()}
    path, size = next(iter(images["train"].items()))
    if path.endswith(f"{gone:03}.png"):
        path, size = list(images["train"].items())[1]
    del images["train"][path]
    images["test"][path] = size
    Run(root / "run").write_listing(Listing(images=images))
    after, lines = data_of(root)
    assert (
        f"{root / 'photos'} has changed since the run: 1 missing, 30 added "
        "images." in lines
    )
    number = int(path.partition("/")[2].partition(".")[0])
    assert number in levels(after.test)
    assert not levels(after.test) & (levels(before.train) - {number})
    assert levels(after.test) >= levels(before.test)


def test_changed_images_are_counted(root):
    file = root / "photos" / "cat" / "003.png"
    Image.fromarray(np.arange(192, dtype="uint8").reshape(8, 8, 3)).save(file)
    _, lines = data_of(root)
    assert any("since the run: 1 changed images" in x for x in lines)


@pytest.mark.slow
def test_the_run_works_from_another_directory(root, monkeypatch, tmp_path):
    monkeypatch.chdir(root)
    train("here", "photos", epochs=1)
    monkeypatch.chdir(tmp_path)
    run = Run(root / "here")
    assert run.options.data == str(root / "photos")
    assert load_run_data(run, run.load_model()).changes == ""


def trained_with_a_test_split(root):
    """Returns a folder with two splits, and its data as a run has seen it."""
    photos = root / "photos"
    for split, first in (("train", 0), ("test", 60)):
        write(photos / split / "cat", range(first, first + 20))
        write(photos / split / "dog", range(first + 20, first + 40))
    train(root / "run", photos, epochs=1)
    before, _ = data_of(root)
    return photos, before


def test_images_that_moved_into_the_test_split_are_not_tested_on(tmp_path):
    photos, before = trained_with_a_test_split(tmp_path)
    for number in sorted(levels(before.train))[:3]:
        path = next((photos / "train").glob(f"*/{number:03}.png"))
        path.rename(photos / "test" / path.parent.name / path.name)
    after, lines = data_of(tmp_path)
    assert levels(after.test) == levels(before.test)
    assert any(
        line.startswith("3 images that were trained on lie in the other")
        for line in lines
    )


def test_images_that_were_renamed_or_copied_are_not_tested_on(tmp_path):
    photos, before = trained_with_a_test_split(tmp_path)
    renamed, copied = sorted(levels(before.train))[:2]
    path = next((photos / "train").glob(f"*/{renamed:03}.png"))
    path.rename(photos / "test" / "dog" / "new.png")
    path = next((photos / "train").glob(f"*/{copied:03}.png"))
    shutil.copy(path, photos / "test" / "cat" / "other.png")
    after, lines = data_of(tmp_path)
    assert levels(after.test) == levels(before.test)
    assert any(line.startswith("2 images that were trained") for line in lines)


def test_a_table_with_other_labels_is_noticed(tmp_path):
    write(tmp_path / "photos" / "heap", range(40))
    table = tmp_path / "photos" / "labels.csv"
    rows = [f"heap/{n:03}.png,{('cat', 'dog')[n % 2]}" for n in range(40)]
    table.write_text("\n".join(["file,label", *rows]))
    train(tmp_path / "run", tmp_path / "photos", labels="labels.csv", epochs=1)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["labels"] == str(table)
    _, lines = data_of(tmp_path)
    assert not any("has changed" in line for line in lines)
    rows[0], rows[1] = (row[:-3] + "cow" for row in rows[:2])
    rows[2] = rows[2][:-3] + "dog"
    text = "\n".join(["file,label", *rows]).replace("cow", "cat")
    table.write_text(text)
    _, lines = data_of(tmp_path)
    assert any("2 of another class images" in line for line in lines)


def test_a_training_does_not_go_on_with_other_images(root):
    run = root / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train(run, root / "photos", epochs=2, callbacks=Halt())
    write(root / "photos" / "cat", range(30, 40))
    with pytest.raises(
        keras_csg.InputError,
        match="run: 10 added images. Go on all the same with `allow_ch",
    ):
        keras_csg.train(run, resume=True, log=None)
    keras_csg.train(run, resume=True, allow_changed_data=True, log=None)
    assert "cat/035.png" in Run(run).read_listing().split_of()


def test_allowing_changes_is_for_resuming(tmp_path):
    with pytest.raises(keras_csg.InputError, match="no effect without `resu"):
        keras_csg.train(tmp_path / "a", allow_changed_data=True, log=None)


def test_a_list_that_is_damaged_is_named(root):
    path = Run(root / "run").listing_path
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match=r"images.json.gz is damaged: "):
        data_of(root)


def test_a_run_without_a_list_holds_out_as_it_did(root):
    os.unlink(Run(root / "run").listing_path)
    data, lines = data_of(root)
    labels = np.repeat([0, 1], 30)
    from sklearn.model_selection import train_test_split

    _, test = train_test_split(
        np.arange(60), test_size=0.2, random_state=0, stratify=labels
    )
    numbers = np.concatenate([np.arange(30), np.arange(100, 130)])
    assert levels(data.test) == set(numbers[test].tolist())


@pytest.mark.slow
def test_other_data_may_number_the_classes_in_another_order(tmp_path):
    for number, name in enumerate(("ant", "bee", "cow")):
        first = 80 * number
        write(tmp_path / "data" / name, range(first, first + 30))
    train(tmp_path / "run", tmp_path / "data", epochs=1)
    run = Run(tmp_path / "run")
    model = run.load_model()
    expected = load_run_data(run, model, data=tmp_path / "data")
    model.class_names = ["cow", "ant", "bee"]
    found = load_run_data(run, model, data=tmp_path / "data")
    assert found.class_names == ["cow", "ant", "bee"]
    for split in ("train", "validation", "test"):
        ours, theirs = getattr(found, split), getattr(expected, split)
        assert levels(ours) == levels(theirs)
        _, labels = ours.images_and_labels()
        _, old = theirs.images_and_labels()
        assert [found.class_names[n] for n in labels] == [
            expected.class_names[n] for n in old
        ]
        assert list(ours.class_counts) == list(np.bincount(labels, minlength=3))
    for images, labels in found.train.training_batches(16, seed=0):
        assert set(np.asarray(images)[:, 0, 0, 0] // 80) <= {0, 1, 2}
        shown = np.asarray(images)[:, 0, 0, 0] // 80
        assert [("ant", "bee", "cow")[n] for n in shown] == [
            found.class_names[n] for n in np.asarray(labels)
        ]


@pytest.mark.slow
def test_other_data_have_the_classes_that_the_run_made(tmp_path):
    """Under the names they had, or under those that the run gave them."""
    choice = {"merge_classes": "low=0+1+2", "classes": "low,9"}
    out = tmp_path / "run"
    train(out, "digits", epochs=1, **choice)
    run = Run(out)
    model = run.load_model()
    assert model.class_names == ["low", "9"]
    found = load_run_data(run, model, data="digits")
    assert found.class_names == ["low", "9"]
    for name, level in (("low", 0), ("9", 100)):
        write(tmp_path / "new" / name, range(level, level + 20))
    found = load_run_data(run, model, data=tmp_path / "new")
    assert found.class_names == ["low", "9"]
    with pytest.raises(ValueError, match="other classes than shapes has"):
        load_run_data(run, model, data="shapes")
