"""Some classes, under other names or several as one, of every kind of data."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from numpy.testing import assert_array_equal
from PIL import Image

from keras_csg import load_data
from keras_csg.data import load_annotated

NAMES = ["ant", "bee", "cow"]


@pytest.fixture
def four(write_images):
    for number, name in enumerate(("ant", "bee", "cat", "dog")):
        folder = write_images(name, 20, first=50 * number)
    return folder


def every(data):
    """Returns the red levels and the labels of all images."""
    splits = (data.train, data.validation, data.test)
    images, labels = zip(*(s.images_and_labels() for s in splits), strict=True)
    return np.concatenate(images)[:, 0, 0, 0], np.concatenate(labels)


def test_some_classes_in_an_order_of_ones_own(four):
    for classes in ("dog,ant", ["dog", "ant"]):
        data = load_data(four, classes=classes)
        assert data.class_names == ["dog", "ant"]
        levels, labels = every(data)
        assert_array_equal(levels < 50, labels)
        assert len(labels) == 40


def test_several_classes_become_one(four):
    data = load_data(four, merge_classes="insect=ant+bee")
    assert data.class_names == ["insect", "cat", "dog"]
    levels, labels = every(data)
    assert_array_equal(labels, np.maximum(levels // 50, 1) - 1)
    data = load_data(
        four,
        merge_classes={"insect": ["ant", "bee"]},
        rename_classes={"dog": "hound"},
        classes="hound,insect",
    )
    assert data.class_names == ["hound", "insect"]
    levels, labels = every(data)
    assert_array_equal(levels < 100, labels)


@pytest.mark.parametrize("held_out", ["bee", ["bee"], " bee "])
def test_the_other_classes_are_trained_on_where_some_are_held_out(
    four, held_out
):
    data = load_data(four, hold_out_classes=held_out)
    assert data.class_names == ["ant", "cat", "dog"]
    levels, labels = every(data)
    assert len(labels) == 60
    assert not np.isin(levels // 50, [1]).any()


def test_classes_are_held_out_under_their_new_names(four):
    data = load_data(
        four, merge_classes="insect=ant+bee", hold_out_classes="insect"
    )
    assert data.class_names == ["cat", "dog"]


def test_a_class_takes_another_one_in(four):
    data = load_data(four, merge_classes="ant=ant+bee")
    assert data.class_names == ["ant", "cat", "dog"]


def test_two_classes_may_change_names(four):
    data = load_data(four, rename_classes="ant=bee,bee=ant")
    assert data.class_names == ["bee", "ant", "cat", "dog"]


@pytest.mark.parametrize(
    "given, message",
    [
        ({"classes": "ant,emu"}, r"that there are \(ant, bee.*Received: emu"),
        ({"classes": "ant"}, "two or more classes, each once"),
        ({"classes": "ant,ant"}, "two or more classes, each once"),
        ({"hold_out_classes": "cta"}, "did you mean 'cat'.*Received: 'cta'"),
        ({"hold_out_classes": "whale"}, r"classes that there are\. Rec"),
        ({"hold_out_classes": "ant,ant"}, "one or more classes, each once"),
        ({"hold_out_classes": ""}, "one or more classes, each once"),
        ({"hold_out_classes": "ant,bee,cat"}, "leave two or more classes"),
        ({"rename_classes": "emu=ant"}, "`rename_classes`.*Received: emu"),
        ({"rename_classes": "ant"}, "old names, each once, and new ones"),
        ({"rename_classes": "ant=a,ant=b"}, "old names, each once"),
        ({"rename_classes": {"ant": ""}}, "old names, each once"),
        ({"rename_classes": {"ant": 5}}, "old names, each once"),
        ({"rename_classes": {}}, "old names, each once"),
        ({"rename_classes": "ant=x,bee=x"}, "'x': `merge_classes` does"),
        ({"rename_classes": "x=ant,y=ant"}, "`rename_classes`.*Received: x, y"),
        ({"rename_classes": "ant=dog"}, "no other class has.*'dog=dog"),
        ({"merge_classes": "dog=ant+bee"}, "no other class has.*'dog=dog"),
        ({"merge_classes": "x=ant"}, "two or more old ones"),
        ({"merge_classes": "x=ant+ant"}, "all of them once"),
        ({"merge_classes": "x=ant+bee,y=bee+dog"}, "all of them once"),
        ({"merge_classes": "x=ant+bee,x=cat+dog"}, "all of them once"),
        ({"merge_classes": "ant+bee"}, "two or more old ones"),
        ({"merge_classes": "x=ant+"}, "two or more old ones"),
        ({"merge_classes": {"x": 3}}, "two or more old ones"),
        ({"merge_classes": "x=ant+emu"}, "`merge_classes`.*Received: emu"),
        (
            {"merge_classes": "x=ant+bee", "rename_classes": "ant=y"},
            "not in both. Received: 'ant'",
        ),
        (
            {"merge_classes": "x=ant+bee", "rename_classes": "dog=x"},
            "not in both. Received: 'x'",
        ),
        (
            {"merge_classes": "x=ant+bee+cat+dog"},
            "Two or more classes must be left",
        ),
    ],
)
def test_classes_that_there_are_not(four, given, message):
    with pytest.raises(ValueError, match=message):
        load_data(four, **given)


def test_images_stay_in_their_split(four):
    """Whatever classes are taken: the test split is that of all of them."""
    whole = {*load_data("digits").test.images_and_labels()[0][:, 9].tobytes()}
    some = load_data("digits", classes="3,8")
    assert some.class_names == ["3", "8"]
    images, labels = some.test.images_and_labels()
    assert {*images[:, 9].tobytes()} <= whole
    all_labels = load_data("digits").test.images_and_labels()[1]
    assert_array_equal(np.bincount(labels), np.bincount(all_labels)[[3, 8]])


def test_drawn_shapes_keep_their_masks():
    whole, some = load_data("shapes"), load_data("shapes", classes="star,ring")
    names = [whole.class_names[n] for n in load_annotated(whole).labels]
    masks = load_annotated(whole).masks[np.isin(names, ["star", "ring"])]
    found = load_annotated(some)
    assert_array_equal(found.masks, masks)
    assert_array_equal(
        [some.class_names[n] for n in found.labels],
        [name for name in names if name in ("star", "ring")],
    )


@pytest.mark.parametrize("cache", [True, False])
def test_of_a_tfds_set(prepare_tfds, cache):
    """The red level of an image is its number, its own label that by three."""
    folder = prepare_tfds({"train": [n % 3 for n in range(60)], "test": [0, 2]})
    options = {"data_dir": folder, "cache": cache}
    data = load_data("tiny_set", classes="cow,ant", **options)
    assert data.class_names == ["cow", "ant"]
    levels, labels = every(data)
    assert_array_equal(labels, (levels % 3 == 0).astype(int))
    assert len(labels) == 40 + 2
    assert sum(data.train.class_counts) == data.train.num_examples
    assert data.test.num_examples == 2
    batches = data.train.training_batches(8, seed=0, epochs=1)
    assert {*np.concatenate([y for _, y in batches])} == {0, 1}
    merged = load_data("tiny_set", merge_classes="other=bee+cow", **options)
    assert merged.class_names == ["ant", "other"]
    levels, labels = every(merged)
    assert_array_equal(labels, (levels % 3 > 0).astype(int))


@pytest.mark.parametrize("cache", [True, False])
def test_of_a_tfds_set_in_slices(prepare_tfds, cache):
    folder = prepare_tfds(
        {"train": [n % 3 for n in range(60)]}, disable_shuffling=True
    )
    data = load_data(
        "tiny_set",
        data_dir=folder,
        cache=cache,
        classes=["bee", "cow"],
        splits="train=train[:30],test=train[30:]",
    )
    assert data.test.num_examples == 20
    images, labels = data.test.images_and_labels()
    levels = images[:, 0, 0, 0]
    assert levels.min() >= 30
    assert_array_equal(levels % 3 - 1, labels)


@pytest.mark.parametrize("cache", [True, False])
def test_of_a_tfds_set_that_lacks_them_in_a_split(prepare_tfds, cache):
    folder = prepare_tfds({"train": [0, 1, 2] * 9, "test": [0, 0]})
    with pytest.raises(ValueError, match="'tiny_set', which has none for test"):
        load_data("tiny_set", data_dir=folder, cache=cache, classes="bee,cow")


@pytest.mark.parametrize("cache", [True, False])
def test_texts_that_are_empty_are_no_class(prepare_tfds, cache):
    features = {
        "image": tfds.features.Image(shape=(8, 8, 3)),
        "label": tfds.features.Text(),
    }
    texts = [(*NAMES, "")[n % 4] for n in range(40)]
    folder = prepare_tfds({"train": texts}, features=features)
    data = load_data("tiny_set", data_dir=folder, cache=cache)
    assert data.class_names == NAMES
    levels, labels = every(data)
    assert_array_equal(levels % 4, labels)
    assert len(labels) == 30


def test_of_a_tfds_set_with_boxes(prepare_tfds):
    box = tfds.features.BBox(0.0, 0.0, 0.5, 1.0)
    features = {
        "image": tfds.features.Image(shape=(8, 8, 3)),
        "label": tfds.features.ClassLabel(names=NAMES),
        "bbox": tfds.features.BBoxFeature(),
    }
    folder = prepare_tfds(
        {"train": [0, 1, 2] * 9, "test": [0, 1, 2]},
        features=features,
        more={"bbox": box},
        disable_shuffling=True,
    )
    data = load_data(
        "tiny_set",
        data_dir=folder,
        rename_classes="cow=cattle",
        classes="cattle,ant",
    )
    found = load_annotated(data)
    assert_array_equal(found.labels, [1, 0])
    assert_array_equal(found.images[:, 0, 0, 0], [0, 2])


def test_another_label_of_a_tfds_set(prepare_tfds):
    features = {
        "image": tfds.features.Image(shape=(8, 8, 3)),
        "label": tfds.features.ClassLabel(names=NAMES),
        "kind": tfds.features.ClassLabel(names=["wild", "tame"]),
    }
    folder = prepare_tfds(
        {"train": [0, 1, 2] * 9, "test": [0, 1, 2]},
        features=features,
        more={"kind": 1},
    )
    data = load_data("tiny_set", data_dir=folder, labels="kind")
    assert data.class_names == ["wild", "tame"]
    assert {*every(data)[1]} == {1}
    with pytest.raises(ValueError, match="labels='sort'.*image, kind, label"):
        load_data("tiny_set", data_dir=folder, labels="sort")


@pytest.fixture
def two_labels(tmp_path):
    """Saves a set of Hugging Face with two columns of classes."""
    datasets = pytest.importorskip("datasets")
    numbers = range(60)
    pixels = [np.full((8, 8, 3), number, "uint8") for number in numbers]
    rows = datasets.Dataset.from_dict(
        {
            "image": [Image.fromarray(p) for p in pixels],
            "fine": [n % 3 for n in numbers],
            "coarse": [n % 3 % 2 for n in numbers],
        },
        features=datasets.Features(
            {
                "image": datasets.Image(),
                "fine": datasets.ClassLabel(names=NAMES),
                "coarse": datasets.ClassLabel(names=["animal", "insect"]),
            }
        ),
    )
    rows.save_to_disk(tmp_path / "set")
    return tmp_path / "set"


@pytest.mark.parametrize("cache", [True, False])
def test_of_a_set_of_hugging_face(two_labels, cache):
    options = {"labels": "fine", "cache": cache}
    data = load_data(two_labels, classes="cow,ant", **options)
    assert data.class_names == ["cow", "ant"]
    levels, labels = every(data)
    assert_array_equal(labels, (levels % 3 == 0).astype(int))
    assert len(labels) == 40
    merged = load_data(two_labels, merge_classes="x=ant+bee", **options)
    assert merged.class_names == ["x", "cow"]
    levels, labels = every(merged)
    assert_array_equal(labels, (levels % 3 == 2).astype(int))


def test_labels_name_a_column_of_hugging_face(two_labels):
    with pytest.raises(ValueError, match="`labels` names another.*fine"):
        load_data(two_labels)
    assert load_data(two_labels, labels="coarse").num_classes == 2
    for name in ("none", "image"):
        with pytest.raises(ValueError, match=f"'{name}' of .*image, fine"):
            load_data(two_labels, labels=name)
