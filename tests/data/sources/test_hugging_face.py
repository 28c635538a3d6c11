"""Sets of the package `datasets`, from where they were saved."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from keras_csg import describe_data, load_data

datasets = pytest.importorskip("datasets")

NAMES = ["ant", "bee", "cow"]


def image(number, size=(8, 8)):
    pixels = np.zeros((*size, 3), "uint8")
    pixels[..., 0] = number
    return Image.fromarray(pixels)


def made(count, first=0, texts=False):
    numbers = range(first, first + count)
    labels = [n % 3 for n in numbers]
    return datasets.Dataset.from_dict(
        {
            "image": [image(n) for n in numbers],
            "label": [NAMES[n] for n in labels] if texts else labels,
            "note": [f"note {n}" for n in numbers],
        },
        features=datasets.Features(
            {
                "image": datasets.Image(),
                "label": datasets.Value("string")
                if texts
                else datasets.ClassLabel(names=NAMES),
                "note": datasets.Value("string"),
            }
        ),
    )


def saved(folder, texts=False, **counts):
    first, parts = 0, {}
    for name, count in counts.items():
        parts[name] = made(count, first, texts)
        first += count
    datasets.DatasetDict(parts).save_to_disk(folder)
    return folder


def levels(split):
    images, labels = split.images_and_labels()
    assert_array_equal(labels, images[:, 0, 0, 0] % 3)
    return sorted(images[:, 0, 0, 0].tolist())


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("texts", [True, False])
def test_splits_are_those_of_the_set(tmp_path, cache, texts):
    folder = saved(tmp_path / "set", texts, train=30, valid=6, test=9)
    data = load_data(folder, cache=cache)
    assert data.class_names == NAMES and data.image_shape == (8, 8, 3)
    assert levels(data.train) == list(range(30))
    assert levels(data.validation) == list(range(30, 36))
    assert levels(data.test) == list(range(36, 45))
    batches = data.train.training_batches(8, seed=0)
    assert sum(len(labels) for _, labels in batches) == 30


def test_what_is_missing_is_held_out_the_same_way_again(tmp_path):
    folder = saved(tmp_path / "set", train=60)
    first, second = (load_data(folder, cache=cache) for cache in (True, False))
    assert [levels(s) for s in (first.train, first.test)] == [
        levels(s) for s in (second.train, second.test)
    ]
    everything = levels(first.train) + levels(first.validation)
    assert sorted(everything + levels(first.test)) == list(range(60))


def test_one_set_without_splits(tmp_path):
    made(40).save_to_disk(tmp_path / "set")
    data = load_data(tmp_path / "set")
    assert data.train.num_examples + data.validation.num_examples < 40
    assert data.test.num_examples > 4


def test_splits_by_other_names(tmp_path):
    folder = saved(tmp_path / "set", first=30, second=9)
    with pytest.raises(ValueError, match="a split to train on.*first, second"):
        load_data(folder)
    data = load_data(folder, splits="train=first,test=second")
    assert levels(data.test) == list(range(30, 39))
    with pytest.raises(ValueError, match="some of first, second.*'third'"):
        load_data(folder, splits="train=first,test=third")


def test_another_set_in_its_place_is_noticed(tmp_path):
    from keras_csg.data.listing import Listing
    from keras_csg.data.sources.hugging_face import HuggingFaceSource
    from keras_csg.data.sources.request import checked_request

    folder = saved(tmp_path / "set", train=30, test=9)
    known = load_data(folder).listing
    for listing, said in ((known, ""), (Listing("another"), "not the set")):
        request = checked_request(folder, known=listing)
        assert said in HuggingFaceSource(request).load().changes


def test_what_is_no_set_of_images_is_refused(tmp_path):
    datasets.Dataset.from_dict({"text": ["a", "b"]}).save_to_disk(
        tmp_path / "set"
    )
    with pytest.raises(ValueError, match="one column of images.*text"):
        load_data(tmp_path / "set")


def test_a_name_that_cannot_be_had_is_one_line(monkeypatch):
    monkeypatch.setattr(
        datasets,
        "load_dataset",
        lambda *args, **kwargs: (_ for _ in ()).throw(OSError("no\nway")),
    )
    with pytest.raises(ValueError, match="^Cannot load hf:who/what: no$"):
        load_data("hf:who/what")


def test_every_class_has_images_to_train_on(tmp_path):
    """Also where the classes stand one behind the other."""
    rows = made(43)
    rows = rows.remove_columns("label").add_column(
        "label", [0] * 20 + [1] * 20 + [2] * 3
    )
    rows = rows.cast_column("label", datasets.ClassLabel(names=NAMES))
    rows.save_to_disk(tmp_path / "set")
    data = load_data(tmp_path / "set")
    assert min(data.train.class_counts) >= 1
    assert min(data.test.class_counts) >= 1


@pytest.mark.parametrize("missing", [None, -1, ""])
def test_what_has_no_label_is_counted_and_no_class(tmp_path, missing):
    kind = "int64" if missing == -1 else "string"
    labels = [missing if n % 10 == 0 else n % 3 for n in range(40)]
    if kind == "string":
        labels = [v if v == missing else NAMES[v] for v in labels]
    rows = made(40).remove_columns("label").add_column("label", labels)
    rows.cast_column("label", datasets.Value(kind)).save_to_disk(
        tmp_path / "set"
    )
    lines = []
    data = load_data(tmp_path / "set", log=lines.append)
    assert data.num_classes == 3
    assert any("4 of 40 images in train are missing" in s for s in lines)
    parts = (data.train, data.validation, data.test)
    assert sum(split.num_examples for split in parts) == 36


def test_a_test_split_without_labels_is_held_out_of_train(tmp_path):
    test = made(9).remove_columns("label").add_column("label", [-1] * 9)
    test = test.cast_column("label", datasets.ClassLabel(names=NAMES))
    datasets.DatasetDict(train=made(40), test=test).save_to_disk(
        tmp_path / "set"
    )
    data = load_data(f"hf:{tmp_path / 'set'}")
    parts = (data.train, data.validation, data.test)
    assert sum(split.num_examples for split in parts) == 40
    report = describe_data(tmp_path / "set", near=False, log=None)
    assert any("9 of 9 images in test" in note for note in report.notes)
    with pytest.raises(ValueError, match="needs the name of a set behind"):
        load_data("hf:")


def test_missing_and_broken_images_are_named(tmp_path):
    rows = made(40).to_list()
    rows[5]["image"] = None
    features = made(1).features
    whole = datasets.Dataset.from_list(rows, features=features)
    whole.save_to_disk(tmp_path / "set")
    lines = []
    load_data(tmp_path / "set", log=lines.append)
    assert any("1 of 40 images in train are missing" in s for s in lines)
    rows[5]["image"] = {"bytes": b"no image", "path": None}
    broken = datasets.Dataset.from_list(rows, features=features)
    broken.save_to_disk(tmp_path / "other")
    with pytest.raises(ValueError, match="Cannot read image 5 of .*other"):
        load_data(tmp_path / "other")


def test_other_images_of_the_same_number_are_another_set(tmp_path):
    made(40).save_to_disk(tmp_path / "one")
    made(40, first=3).save_to_disk(tmp_path / "two")
    made(40).save_to_disk(tmp_path / "three")
    digests = [
        load_data(tmp_path / name).listing.digest
        for name in ("one", "two", "three")
    ]
    assert digests[0] != digests[1] and digests[0] == digests[2]
