"""Labels in a table, groups that stay together, some classes of many."""

import json

import pytest
from numpy.testing import assert_array_equal

from keras_csg import load_data


@pytest.fixture
def pile(write_images):
    """Forty images in one heap; the red channel is the number."""
    return write_images("photos", 40)


def table(folder, rows, header="file,label", name="labels.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def levels(split):
    return set(split.images_and_labels()[0][:, 0, 0, 0].tolist())


def alternating(count=40):
    names = ("cat", "dog")
    return [f"photos/{n:03}.png,{names[n % 2]}" for n in range(count)]


def test_a_table_says_the_classes(pile):
    path = table(pile, alternating())
    for labels in (path, "labels.csv"):
        data = load_data(pile, labels=labels)
        assert data.class_names == ["cat", "dog"]
        for split in (data.train, data.validation, data.test):
            images, labels = split.images_and_labels()
            assert_array_equal(images[:, 0, 0, 0] % 2, labels)
    splits = (data.train, data.validation, data.test)
    assert sum(s.num_examples for s in splits) == 40


def test_json_lines_by_other_names(pile):
    rows = [row.split(",") for row in alternating()]
    text = "\n".join(json.dumps({"file_name": f, "class": c}) for f, c in rows)
    (pile / "metadata.jsonl").write_text(text)
    data = load_data(pile, labels=pile / "metadata.jsonl")
    assert data.class_names == ["cat", "dog"]


def test_a_column_says_the_split(pile):
    splits = ["Training"] * 20 + ["val"] * 8 + ["test"] * 12
    rows = [f"{r},{s}" for r, s in zip(alternating(), splits, strict=True)]
    data = load_data(pile, labels=table(pile, rows, "file,label,split"))
    assert levels(data.train) == set(range(20))
    assert levels(data.validation) == set(range(20, 28))
    assert levels(data.test) == set(range(28, 40))


def test_a_group_stays_on_one_side(write_images):
    folder = write_images("photos", 200)
    # Each patient has four images, of one class.
    rows = [
        f"photos/{n:03}.png,{'ab'[n // 4 % 2]},patient {n // 4}"
        for n in range(200)
    ]
    path = table(folder, rows, "file,label,group")
    data = load_data(folder, labels=path)
    groups = [
        {level // 4 for level in levels(split)}
        for split in (data.train, data.validation, data.test)
    ]
    assert sum(map(len, groups)) == 50 == len(set.union(*groups))
    assert all(groups)


def test_what_cannot_be_used_is_counted(pile):
    rows = [*alternating(38), "photos/038.png,", "photos/gone.png,cat"]
    lines = []
    load_data(pile, labels=table(pile, rows), log=lines.append)
    assert "1 images without a label: photos/038.png" in lines
    assert (
        "1 rows of labels.csv whose file is not there: photos/gone.png" in lines
    )


@pytest.mark.parametrize(
    "rows, header, message",
    [
        (["a.png,cat"], "file,kind", "line 1, must name columns for a label"),
        (["photos/000.png,cat"], "file,label", "two or more classes.*: cat"),
        (
            ["photos/000.png,cat", "photos/000.png,dog"],
            "file,label",
            "labels.csv, line 3 gives photos/000.png a second label",
        ),
        (
            ["photos/000.png,cat,a", "photos/001.png,dog,a"],
            "file,label,split",
            "must call splits train, validation or test. Received: 'a'",
        ),
        (
            ["photos/000.png,cat,test", "photos/001.png,dog,test"],
            "file,label,split",
            "has no images to train on",
        ),
    ],
)
def test_a_table_that_says_nothing_is_refused(pile, rows, header, message):
    with pytest.raises(ValueError, match=message):
        load_data(pile, labels=table(pile, rows, header))


def test_a_table_that_is_not_there(pile):
    with pytest.raises(ValueError, match="Cannot read .*none.csv"):
        load_data(pile, labels="none.csv")
    with pytest.raises(ValueError, match="`labels` is for a folder"):
        load_data("digits", labels="none.csv")


def test_rows_without_a_label_are_counted_and_no_class(pile):
    rows = alternating()
    rows[3] = "photos/003.png"
    lines = []
    data = load_data(pile, labels=table(pile, rows), log=lines.append)
    assert data.class_names == ["cat", "dog"]
    assert any("1 images without a label" in line for line in lines)
    given = [
        {"file": f"photos/{n:03}.png", "label": ("cat", "dog")[n % 2]}
        for n in range(40)
    ]
    given[5]["label"] = None
    text = "\n".join(map(json.dumps, given))
    (pile / "labels.jsonl").write_text(text)
    data = load_data(pile, labels=pile / "labels.jsonl")
    assert data.class_names == ["cat", "dog"]


def test_images_without_a_row_are_counted(pile):
    lines = []
    path = table(pile, alternating(30))
    load_data(pile, labels=path, log=lines.append)
    assert any(line.startswith("10 images in") for line in lines)
    assert any("have no row in labels.csv" in line for line in lines)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_columns_may_be_parted_otherwise(pile, mark):
    rows = [row.replace(",", mark) for row in alternating()]
    path = table(pile, rows, f"file{mark}label")
    assert load_data(pile, labels=path).class_names == ["cat", "dog"]


def test_one_file_counts_once_however_it_is_written(pile):
    again = [row.replace("photos/", "photos/./") for row in alternating()]
    data = load_data(pile, labels=table(pile, alternating() + again))
    splits = (data.train, data.validation, data.test)
    assert sum(s.num_examples for s in splits) == 40


@pytest.mark.parametrize(
    "rows, header, message",
    [
        (
            [f"{r},train" for r in alternating()] + ["photos/000.png,cat,test"],
            "file,label,split",
            "labels.csv, line 42 gives photos/000.png a second split",
        ),
        (
            [
                f"{r},{s},one"
                for r, s in zip(alternating(2), ("train", "test"), strict=True)
            ],
            "file,label,split,group",
            "a group in one split.*group 'one' in train and test",
        ),
        (
            [f"{alternating()[0]},bogus"],
            "file,label,split",
            "labels.csv, line 2 must call splits .*'bogus'",
        ),
    ],
)
def test_contradictions_are_named(pile, rows, header, message):
    with pytest.raises(ValueError, match=message):
        load_data(pile, labels=table(pile, rows, header))
