"""What a folder holds: found, or refused with a way out."""

import errno
import os

import pytest
from PIL import Image

from keras_csg import load_data
from keras_csg.data.sources.folder_layout import read_layout


@pytest.fixture
def make(tmp_path):
    """Makes empty files; what is in them is of no account here."""

    def make(**counts):
        for folder, count in counts.items():
            place = tmp_path / folder.replace("__", "/")
            place.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                (place / f"{number:03}.png").touch()
        return tmp_path

    return make


def counts(layout):
    return {split: len(files.paths) for split, files in layout.splits.items()}


@pytest.mark.parametrize(
    "train, test",
    [
        ("Training", "Testing"),
        ("Train", "Test"),
        ("TRAIN", "TEST"),
        ("training_set", "test_set"),
        ("seg_train", "seg_test"),
        ("train", "Valid"),
        ("train", "dev"),
        ("train", "eval"),
    ],
)
def test_splits_by_the_names_people_give_them(make, train, test):
    for name in ("cat", "dog"):
        make(**{f"{train}__{name}": 20, f"{test}__{name}": 8})
    layout = read_layout(make())
    assert layout.class_names == ["cat", "dog"]
    assert counts(layout) == {"train": 40, "test": 16}


def test_splits_within_a_folder_of_the_same_name(make):
    for name in ("cat", "dog"):
        make(
            **{
                f"seg_train__seg_train__{name}": 3,
                f"seg_test__seg_test__{name}": 2,
            }
        )
    layout = read_layout(make())
    assert layout.class_names == ["cat", "dog"]
    assert counts(layout) == {"train": 6, "test": 4}


@pytest.mark.parametrize(
    "folders",
    [
        ("batch1", "batch2"),
        ("2019", "2020"),
        ("test", "val"),
        ("train", "Train", "test"),
        ("train", "val", "valid"),
    ],
)
def test_what_may_be_splits_is_refused_with_a_way_out(make, folders):
    for folder in folders:
        make(**{f"{folder}__cat": 3, f"{folder}__dog": 3})
    with pytest.raises(ValueError, match="which are classes") as error:
        read_layout(make())
    text = str(error.value)
    assert all(f"{folder} (cat, dog)" in text for folder in folders)
    assert "such as 'train=" in text and "'none' if these are" in text


def test_a_user_says_which_folders_the_splits_are(make):
    for folder, count in (("batch1", 5), ("batch2", 3)):
        make(**{f"{folder}__cat": count, f"{folder}__dog": count})
    folder = make()
    layout = read_layout(folder, "train=batch1,test=batch2")
    assert counts(layout) == {"train": 10, "test": 6}
    layout = read_layout(folder, "none")
    assert layout.class_names == ["batch1", "batch2"]
    with pytest.raises(ValueError, match="'batch3', which is none"):
        read_layout(folder, {"train": "batch3"})
    with pytest.raises(ValueError, match="`splits` must name the folder"):
        load_data(folder, splits="batch1")


def test_classes_may_have_folders_of_their_own(make):
    make(cat__siamese=3, cat__persian=2, dog__terrier=4)
    layout = read_layout(make())
    assert layout.class_names == ["cat", "dog"]
    assert counts(layout) == {"train": 9}


def test_masks_beside_the_classes_are_no_class(make):
    make(cat=3, dog=3, masks__cat=3, masks__dog=3)
    assert read_layout(make()).class_names == ["cat", "dog"]


def test_masks_may_be_a_class(make):
    make(gloves=3, masks=3)
    assert read_layout(make()).class_names == ["gloves", "masks"]


def test_a_link_to_a_folder_above_is_not_followed(make):
    folder = make(cat=20, dog=20)
    (folder / "cat" / "self").symlink_to(folder)
    (folder / "dog" / "other").symlink_to(folder)
    (folder / "dog" / "cats").symlink_to(folder / "cat")
    layout = read_layout(folder)
    assert counts(layout) == {"train": 40}
    assert layout.passed_over.counts == {"links to what is read elsewhere": 3}


def test_an_image_is_read_once(make):
    folder = make(cat=2, dog=2)
    (folder / "cat" / "link.png").symlink_to(folder / "cat" / "000.png")
    os.link(folder / "cat" / "000.png", folder / "dog" / "hard.png")
    (folder / "dog" / "gone.png").symlink_to(folder / "nowhere")
    layout = read_layout(folder)
    assert counts(layout) == {"train": 4}
    assert layout.passed_over.counts == {
        "links to what is read elsewhere": 2,
        "links to nothing": 1,
    }


def test_images_elsewhere_may_be_linked_to(make, tmp_path_factory):
    pool = tmp_path_factory.mktemp("pool")
    folder = make(dog=2, cat=0)
    for name in ("a.png", "b.png"):
        (pool / name).touch()
        (folder / "cat" / name).symlink_to(pool / name)
    assert counts(read_layout(folder)) == {"train": 4}


def test_what_programs_leave_behind_is_not_read(make):
    make(cat=3, dog=3)
    for litter in (
        ".Trash-1000",
        ".ipynb_checkpoints",
        ".thumbnails",
        "@eaDir",
    ):
        make(**{f"cat__{litter}": 2, litter: 1})
    folder = make()
    (folder / "dog" / "._000.png").touch()
    layout = read_layout(folder)
    assert layout.class_names == ["cat", "dog"]
    assert counts(layout) == {"train": 6}
    assert layout.passed_over.counts == {"hidden": 9}


def test_what_is_passed_over_is_counted_with_names(make):
    folder = make(cat=3, dog=3)
    for name in ("a.txt", "b.txt", "c.md", "d"):
        (folder / "cat" / name).touch()
    (folder / "loose.png").touch()
    layout = read_layout(folder, "none")
    assert layout.passed_over.lines(folder) == [
        "1 images in no class's folder: loose.png",
        "4 no images by their suffix: cat/a.txt, cat/b.txt, cat/c.md, ...",
    ]


@pytest.fixture
def lock(monkeypatch):
    """Lets nobody read folders by this name, root neither."""
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)


@pytest.mark.usefixtures("lock")
def test_a_class_folder_that_may_not_be_read_is_not_called_empty(make):
    folder = make(cat=3, dog=3, locked=2)
    with pytest.raises(ValueError, match="locked', which cannot be read: perm"):
        read_layout(folder)


@pytest.mark.usefixtures("lock")
def test_a_folder_that_may_not_be_read_is_counted(make):
    folder = make(cat=3, dog=3, dog__locked=2)
    layout = read_layout(folder)
    assert counts(layout) == {"train": 6}
    assert layout.passed_over.lines(folder) == [
        "1 unreadable folders (permission denied): dog/locked"
    ]


def test_a_test_split_without_labels_is_said(make):
    make(train__cat=5, train__dog=5, test__unknown=4)
    layout = read_layout(make())
    assert counts(layout) == {"train": 10}
    (note,) = layout.notes
    assert note.endswith("test has none of the classes: it is not read.")


def test_a_test_split_may_lack_a_class_and_says_so(make):
    make(train__cat=5, train__dog=5, test__cat=4)
    layout = read_layout(make())
    assert counts(layout) == {"train": 10, "test": 4}
    assert layout.notes == [f"{make() / 'test'} has no images of dog."]


def test_a_class_that_is_not_trained_is_refused(make):
    make(train__cat=5, train__dog=5, test__cat=4, test__emu=2)
    with pytest.raises(ValueError, match="emu is not in that of train"):
        read_layout(make())


def test_folders_beside_the_splits_are_said(make):
    make(train__cat=5, train__dog=5, test__cat=2, test__dog=2, extra=3)
    make(old__cat=3, masks__test__cat=2)
    layout = read_layout(make())
    assert layout.notes == [
        f"Not read in {make()}, as no split with classes is called so: "
        "extra (3 files), old (3 files). `splits` says which is which."
    ]


@pytest.mark.parametrize("suffix", [".tiff", ".JFIF", ".jpe", ".avif", ".jp2"])
def test_whatever_pillow_opens_is_an_image(make, suffix):
    if suffix.lower() not in Image.registered_extensions():
        pytest.skip(f"this Pillow opens no {suffix}")
    folder = make(cat=1, dog=1)
    (folder / "cat" / f"a{suffix}").touch()
    assert counts(read_layout(folder)) == {"train": 3}
