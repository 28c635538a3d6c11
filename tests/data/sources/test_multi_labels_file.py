"""Several classes of each image, in a table."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg import load_data
from keras_csg.data.listing import Listing
from tests.data.sources.test_labels_file import levels, table

NAMES = ["bird", "cat", "dog"]


@pytest.fixture
def pile(write_images):
    """Sixty images in one heap; the red channel is the number."""
    return write_images("photos", 60)


def sets(number):
    """The classes of an image by its number: at least one."""
    own = [name for n, name in enumerate(NAMES) if number >> n & 1]
    return own or ["cat", "dog"]


def hot(number):
    return [float(name in sets(number)) for name in NAMES]


def rows(join="|".join, count=60):
    return [f"photos/{n:03}.png,{join(sets(n))}" for n in range(count)]


def ticked(count=60):
    return [
        f"photos/{n:03}.png," + ",".join(str(int(x)) for x in hot(n))
        for n in range(count)
    ]


def load(pile, *args, **kwargs):
    return load_data(
        pile, labels=table(pile, *args), multi_label=True, **kwargs
    )


def check(data):
    assert data.class_names == NAMES
    assert data.multi_label
    seen = 0
    for split in (data.train, data.validation, data.test):
        images, labels = split.images_and_labels()
        assert labels.dtype == "float32"
        expected = [hot(number) for number in images[:, 0, 0, 0]]
        assert_array_equal(labels, expected)
        assert_array_equal(split.class_counts, np.sum(expected, axis=0))
        seen += len(images)
    assert seen == 60


@pytest.mark.parametrize("mark", ["|", ";", " | "])
def test_a_column_names_the_classes(pile, mark):
    check(load(pile, rows(mark.join)))


def test_a_column_for_each_class(pile):
    check(load(pile, ticked(), "file,bird,cat,dog"))


def test_other_columns_are_no_classes_if_classes_are_named(pile):
    more = [f"{row},sunny" for row in ticked()]
    header = "file,bird,cat,dog,weather"
    with pytest.raises(ValueError, match=r"line 2 must have 0 or 1.*'weather'"):
        load(pile, more, header)
    check(load(pile, more, header, classes="bird,cat,dog"))


def test_classes_that_are_no_columns_are_named(pile):
    with pytest.raises(ValueError, match="`classes` must name columns .* zz"):
        load(pile, ticked(), "file,bird,cat,dog", classes="cat,zz")


def test_a_column_that_is_there_twice_is_named(pile):
    more = [f"{row},1" for row in ticked()]
    with pytest.raises(ValueError, match="line 1, must name each column once"):
        load(pile, more, "file,bird,cat,dog,cat")


def test_lists_in_json_lines(pile):
    lines = [
        json.dumps({"file": f"photos/{n:03}.png", "label": sets(n)})
        for n in range(60)
    ]
    (pile / "labels.jsonl").write_text("\n".join(lines))
    check(load_data(pile, labels="labels.jsonl", multi_label=True))


def test_an_empty_list_says_that_an_image_has_none(pile):
    classes = [["cat"], ["dog"]] + 58 * [[]]
    lines = [
        json.dumps({"file": f"photos/{n:03}.png", "label": own})
        for n, own in enumerate(classes)
    ]
    (pile / "labels.jsonl").write_text("\n".join(lines))
    data = load_data(pile, labels="labels.jsonl", multi_label=True)
    splits = (data.train, data.validation, data.test)
    labels = [split.images_and_labels()[1] for split in splits]
    assert np.concatenate(labels).sum() == 2


def test_an_image_may_have_none_where_the_row_says_so(pile):
    more = [*rows(count=59), "photos/059.png,-"]
    data = load(pile, more)
    splits = (data.train, data.validation, data.test)
    empty = [
        image[0, 0, 0]
        for split in splits
        for image, label in zip(*split.images_and_labels(), strict=True)
        if not label.any()
    ]
    assert empty == [59]
    none = [f"{row},0,0,0" for row in ["photos/059.png"]]
    data = load(pile, [*ticked(59), *none], "file,bird,cat,dog")
    assert sum(s.num_examples for s in (data.train, data.validation)) > 0


@pytest.mark.parametrize(
    "row, said",
    [
        ("photos/003.png,", "line 5 must name the classes of 'photos/003.png'"),
        ("photos/003.png,cat||dog", "line 5 must name each class .* once"),
        ("photos/003.png,cat|cat", "line 5 must name each class .* once"),
        ("photos/003.png,cat|-", "line 5 must name each class .* once"),
        ("photos/gone.png,cat", "line 5 must name a file in .*gone.png"),
        (",cat", "line 5 must name a file"),
        ("photos/003.png,cot|dog", "line 5 must name classes out of.*'cot'"),
        ("photos/002.png,bird", "line 5 gives photos/002.png a second label"),
    ],
)
def test_what_is_wrong_in_a_row_is_named_with_its_line(pile, row, said):
    wrong = rows()
    wrong[3] = row
    with pytest.raises(ValueError, match=said) as error:
        load(pile, wrong, classes=NAMES)
    assert "labels.csv" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("odd", ["2", "", "x"])
def test_what_is_no_0_or_1_is_named_with_its_line(pile, odd):
    wrong = ticked()
    wrong[1] = f"photos/001.png,{odd},0,1"
    with pytest.raises(ValueError, match="line 3 must have 0 or 1 in .*'bird'"):
        load(pile, wrong, "file,bird,cat,dog")


def test_classes_by_other_names_and_in_one(pile):
    data = load(pile, rows(), merge_classes="pet=cat+dog")
    assert data.class_names == ["bird", "pet"]
    images, labels = data.train.images_and_labels()
    for number, label in zip(images[:, 0, 0, 0], labels, strict=True):
        bird, cat, dog = hot(number)
        assert_array_equal(label, [bird, max(cat, dog)])
    data = load(pile, rows(), rename_classes="bird=hen", classes="dog,hen,cat")
    assert data.class_names == ["dog", "hen", "cat"]


def test_columns_that_are_not_named_are_no_labels(pile):
    """An image that has none of the others has none."""
    data = load(pile, ticked(), "file,bird,cat,dog", classes="bird,cat")
    splits = (data.train, data.validation, data.test)
    found = set.union(*map(levels, splits))
    assert found == set(range(60))
    empty = sum((~s.labels.any(axis=1)).sum() for s in splits)
    assert empty == sum(sets(n) == ["dog"] for n in range(60))


def test_what_is_held_out_stays_when_images_come(pile, write_images):
    def tested(count):
        return levels(load(pile, rows(count=count)).test)

    few, more = tested(50), tested(60)
    assert few <= more and more - few <= set(range(50, 60))


def test_a_rare_class_is_in_every_split(write_images):
    folder = write_images("photos", 120)
    some = [
        f"photos/{n:03}.png,{'a|rare' if n % 20 == 0 else 'a|b'}"
        for n in range(120)
    ]
    data = load(folder, some)
    for split in (data.train, data.validation, data.test):
        assert split.class_counts.min() > 0


def test_classes_in_another_order(pile):
    data = load(pile, rows())
    turned = data.in_order_of(["dog", "bird", "cat"])
    images, labels = turned.test.images_and_labels()
    same, before = data.test.images_and_labels()
    assert_array_equal(images, same)
    assert_array_equal(labels, before[:, [2, 0, 1]])
    assert_array_equal(
        turned.test.class_counts, data.test.class_counts[[2, 0, 1]]
    )


def test_mixed_images_have_mixed_labels(pile):
    data = load(pile, rows())
    batches = data.train.training_batches(16, seed=0, augmentation="mixup")
    _, labels = next(iter(batches))
    assert labels.shape[1] == 3
    assert 0 < np.mean((labels.numpy() > 0) & (labels.numpy() < 1))


def test_a_listing_has_the_classes_of_each(pile, tmp_path):
    listing = load(pile, rows()).listing
    assert listing.classes["photos/003.png"] == "bird|cat"
    listing.write(tmp_path / "images.json.gz")
    read = Listing.read(tmp_path / "images.json.gz")
    assert read.classes == listing.classes


@pytest.mark.parametrize(
    "name, more, said",
    [
        ("digits", {}, "`multi_label` is for a folder of images with a table"),
        (None, {}, "`multi_label` needs `labels`"),
        (None, {"multi_label": 1}, "`multi_label` must be True or False"),
    ],
)
def test_it_needs_a_table(pile, name, more, said):
    with pytest.raises(ValueError, match=said):
        load_data(name or pile, **{"multi_label": True, **more})
