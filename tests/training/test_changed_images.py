"""Images that a run has seen are known by what is in them."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.training import Run, load_run_data
from tests.training.photos import Halt, data_of, levels, train, write

pytestmark = pytest.mark.usefixtures("tiny")


def test_images_that_got_other_names_stay_in_their_splits(root):
    """Every name but the first of a class is that of the next image now."""
    before, _ = data_of(root)
    for folder in (root / "photos").iterdir():
        first, *others = sorted(folder.glob("*.png"))
        first.unlink()
        for path in others:
            path.rename(path.with_name(f"{int(path.stem) - 1:03}.png"))
    after, _ = data_of(root)
    seen = levels(before.train) | levels(before.validation)
    assert levels(after.test) and not levels(after.test) & seen
    assert levels(after.test) <= levels(before.test)
    assert not levels(after.train) & levels(before.test)
    assert levels(after.train) == levels(before.train) - {0, 100}


@pytest.mark.slow
def test_replaced_images_of_the_same_size_are_noticed(root):
    first, second = sorted((root / "photos" / "cat").glob("*.png"))[:2]
    pixels = np.full((8, 8, 3), 7, "uint8")
    for path in (first, second):
        Image.fromarray(pixels).save(path.with_suffix(".bmp"))
        path.unlink()
    train(root / "run2", root / "photos", epochs=1)
    Image.fromarray(pixels + 1).save(first.with_suffix(".bmp"))
    data = load_run_data(Run(root / "run2"), Run(root / "run2").load_model())
    assert "1 changed images" in data.changes


@pytest.mark.slow
def test_a_training_with_changed_data_keeps_its_list(root):
    """What it sees from then on is not tested on either."""
    photos = root / "photos"
    with pytest.raises(KeyboardInterrupt):
        train(root / "run2", photos, epochs=2, callbacks=Halt())
    write(photos / "cat", range(70, 100))
    keras_csg.train(
        root / "run2", resume=True, allow_changed_data=True, log=None
    )
    run = Run(root / "run2")
    now = load_run_data(run, run.load_model())
    assert now.changes == ""
    trained = levels(now.train)
    assert trained & set(range(70, 100))
    for path in sorted((photos / "cat").glob("*.png")):
        if int(path.stem) in trained:
            path.rename(path.with_name(f"new-{path.name}"))
    again = load_run_data(run, run.load_model())
    assert levels(again.test) and not levels(again.test) & trained


@pytest.mark.slow
def test_a_file_that_was_broken_then_is_new(root):
    """It may be tested on, unless it is what was trained on."""
    photos = root / "photos"
    write(photos / "cat", range(200, 256))
    broken = sorted((photos / "cat").glob("2*.png"))[0]
    whole = broken.read_bytes()
    broken.write_bytes(b"")
    train(root / "run2", photos, epochs=1)
    run = Run(root / "run2")
    model = run.load_model()
    before = load_run_data(run, model)
    assert len(before.skipped) == 1 and 200 not in levels(before.train)
    broken.write_bytes(whole)
    data = load_run_data(run, model)
    assert "1 changed images" in data.changes
    parts = [levels(x) for x in (data.train, data.validation, data.test)]
    assert sum(200 in part for part in parts) == 1
    trained = min(parts[0] & set(range(200, 256)))
    broken.write_bytes((photos / "cat" / f"{trained}.png").read_bytes())
    data = load_run_data(run, model)
    parts = [levels(x) for x in (data.validation, data.test)]
    assert not any(trained in part for part in parts)


def test_other_data_that_were_trained_on_are_told_of(root):
    before, _ = data_of(root)
    for number in sorted(levels(before.train)):
        (path,) = (root / "photos").glob(f"*/{number:03}.png")
        target = root / "other" / "test" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for name in ("cat", "dog"):
        write(root / "other" / "train" / name, [200, 201, 202])
    run, lines = Run(root / "run"), []
    data = load_run_data(
        run, run.load_model(), data=root / "other", log=lines.append
    )
    assert any(x.startswith("The run was trained on") for x in lines)
    assert data.trained_on == data.test.num_examples
    figures = keras_csg.evaluate(run, data=root / "other", log=None)
    assert figures["trained_on"] == data.trained_on
    assert "trained_on" not in keras_csg.evaluate(run, log=None)


@pytest.mark.slow
def test_times_say_nothing(root):
    """Archives give all files the same; here sizes are the same, too."""
    photos = root / "bitmaps"
    for name, first in (("cat", 0), ("dog", 100)):
        (photos / name).mkdir(parents=True)
        for number in range(first, first + 30):
            path = photos / name / f"{number:03}.bmp"
            Image.fromarray(np.full((8, 8, 3), number, "uint8")).save(path)
    for path in photos.rglob("*.bmp"):
        os.utime(path, (0, 0))
    train(root / "run2", photos, epochs=1)
    run = Run(root / "run2")
    before = load_run_data(run, run.load_model())
    for folder in photos.iterdir():
        names = sorted(folder.iterdir())
        images = [path.read_bytes() for path in names]
        for path, content in zip(names, images[1:] + images[:1], strict=True):
            path.write_bytes(content)
            os.utime(path, (0, 0))
    after = load_run_data(run, run.load_model())
    assert "60 changed" in after.changes
    assert levels(after.test) <= levels(before.test)


def stopped(root, data, **options):
    with pytest.raises(KeyboardInterrupt):
        train(root / "run2", data, epochs=2, callbacks=Halt(), **options)


@pytest.mark.slow
def test_a_training_does_not_go_on_with_other_classes(root):
    """Which would give the images of one class to the network as another's."""
    photos = root / "photos"
    stopped(root, photos)
    (photos / "dog").rename(photos / "Dog")  # Before `cat` by its name.
    with pytest.raises(keras_csg.InputError, match="class 0 was 'cat' and is"):
        keras_csg.train(
            root / "run2", resume=True, allow_changed_data=True, log=None
        )


@pytest.mark.slow
def test_a_table_that_says_other_splits_and_groups_has_changed(root):
    photos, table = root / "photos", root / "t.csv"
    names = sorted(p.relative_to(photos) for p in photos.rglob("*.png"))

    def write_table(splits, groups):
        rows = [
            f"{name},{name.parent.name},{splits[n % 4]},{n // groups}"
            for n, name in enumerate(names)
        ]
        table.write_text("\n".join(["file,label,split,group", *rows]))

    write_table(("train", "train", "test", "validation"), 1)
    stopped(root, photos, labels=table)
    write_table(("train", "test", "train", "validation"), 1)
    for _ in range(2):
        with pytest.raises(keras_csg.InputError, match="30 of another split"):
            keras_csg.train(root / "run2", resume=True, log=None)
        write_table(("", "", "", ""), 2)
    with pytest.raises(keras_csg.InputError, match="59 of another group"):
        keras_csg.train(root / "run2", resume=True, log=None)


def test_new_images_that_are_equal_go_together(root):
    write(root / "photos" / "cat", range(40, 64))
    for number in range(40, 64):
        path = root / "photos" / "cat" / f"{number:03}.png"
        shutil.copy(path, path.with_name(f"z{number}.png"))
    data, _ = data_of(root)
    parts = [levels(s) for s in (data.train, data.validation, data.test)]
    assert not parts[0] & parts[2] and not parts[0] & parts[1]
    assert not parts[1] & parts[2]


@pytest.mark.slow
def test_a_training_goes_on_where_the_data_are_now(root):
    photos = root / "photos"
    with pytest.raises(KeyboardInterrupt):
        train(root / "run2", photos, epochs=2, callbacks=Halt())
    photos.rename(root / "moved")
    with pytest.raises(keras_csg.InputError, match="said with `data_dir`"):
        keras_csg.train(root / "run2", resume=True, log=None)
    keras_csg.train(
        root / "run2", resume=True, data_dir=root / "moved", log=None
    )
    assert Run(root / "run2").is_finished()
