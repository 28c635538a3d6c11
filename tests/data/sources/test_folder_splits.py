"""What of a folder is trained, validated and tested on."""

import shutil

import pytest

from keras_csg import load_data


def red_levels(split):
    """The numbers of the images, as `write_images` wrote them."""
    return set(split.images_and_labels()[0][:, 0, 0, 0])


@pytest.mark.parametrize("seed", range(4))
def test_a_class_of_one_image_is_trained_on_and_said(write_images, seed):
    write_images("a", 23)
    write_images("rare", 1)
    folder = write_images("z", 20)
    lines = []
    data = load_data(folder, seed=seed, log=lines.append)
    assert data.train.class_counts[1] == 1
    assert (
        f"{folder}: validation has none of rare; test has none of rare."
        in lines
    )


def test_a_class_that_is_wholly_broken_is_refused_before_training(
    write_images,
):
    write_images("train/a", 150)
    write_images("train/b", 150)
    write_images("test/a", 2)
    folder = write_images("test/b", 1)
    for path in folder.glob("test/*/*.png"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="can be read for test"):
        load_data(folder)
    (folder / "train" / "b" / "000.png").write_bytes(b"no image")
    write_images("test/a", 2)
    lines = []
    load_data(folder, log=lines.append)
    assert f"{folder}: test has none of b." in lines


def test_images_stay_where_they_are_when_others_come_and_go(write_images):
    write_images("a", 40)
    folder = write_images("b", 40, first=100)
    before = load_data(folder)
    (folder / "a" / "003.png").unlink()
    write_images("b", 60, first=140)
    after = load_data(folder)
    for name in ("train", "validation", "test"):
        levels = red_levels(getattr(before, name))
        assert red_levels(getattr(after, name)) >= levels - {3}


@pytest.fixture
def doubled(write_images):
    """Twenty images a class; one of test is in train, too, and one of val."""
    for split, first, count in (("train", 0, 20), ("val", 40, 5)):
        write_images(f"{split}/a", count, first=first)
        write_images(f"{split}/b", count, first=first + 100)
    write_images("test/a", 5, first=50)
    folder = write_images("test/b", 5, first=150)
    copy = folder / "test" / "a" / "050.png"
    for place in ("train/a/copy.png", "val/a/copy.png", "train/a/again.png"):
        shutil.copy(copy, folder / place)
    shutil.copy(folder / "train" / "a" / "000.png", folder / "train" / "b")
    return folder


def test_equal_files_in_several_splits_are_said(doubled):
    lines = []
    data = load_data(doubled, log=lines.append)
    assert (
        "1 images are in more than one split, such as train/a/again.png and "
        "val/a/copy.png: figures of the test split are too good by them; "
        "`drop_duplicates` leaves the others out." in lines
    )
    assert (
        "1 images lie in the folders of several classes, such as "
        "train/a/000.png and train/b/000.png." in lines
    )
    splits = (data.train, data.validation, data.test)
    assert [s.num_examples for s in splits] == [43, 11, 10]


def test_copies_can_be_left_out_and_stay_out(doubled):
    lines = []
    data = load_data(doubled, drop_duplicates=True, log=lines.append)
    assert any(line.endswith(": 3 copies are left out.") for line in lines)
    splits = (data.train, data.validation, data.test)
    assert [s.num_examples for s in splits] == [41, 10, 10]
    left_out = ["train/a/again.png", "train/a/copy.png", "val/a/copy.png"]
    assert sorted(data.listing.images["left out"]) == left_out


def test_copies_are_held_out_together(write_images):
    write_images("a", 60)
    folder = write_images("b", 60, first=100)
    for path in sorted(folder.glob("?/*.png")):
        shutil.copy(path, path.with_name(f"copy of {path.name}"))
    lines = []
    data = load_data(folder, log=lines.append)
    assert not any("more than one split" in line for line in lines)
    levels = [red_levels(s) for s in (data.train, data.validation, data.test)]
    assert sum(map(len, levels)) == 120 == len(set.union(*levels))


def test_other_data_have_no_files_to_compare():
    with pytest.raises(ValueError, match="`drop_duplicates` is for a folder"):
        load_data("digits", drop_duplicates=True)
    with pytest.raises(ValueError, match="`splits` is for a folder"):
        load_data("digits", splits="train=a")
