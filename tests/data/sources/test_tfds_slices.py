"""Parts of splits by name, and labels that are texts."""

import pytest
import tensorflow_datasets as tfds
from numpy.testing import assert_array_equal

from keras_csg import load_data

LABELS = [0, 1, 2] * 10


def red_levels(split):
    return sorted(split.images_and_labels()[0][:, 0, 0, 0].tolist())


def levels_of(data):
    return [red_levels(s) for s in (data.train, data.validation, data.test)]


@pytest.mark.parametrize("cache", [True, False])
def test_parts_of_a_split(prepare_tfds, cache):
    data_dir = prepare_tfds({"plain": LABELS, "extra": [0, 1, 2]})
    builder = tfds.builder_from_directory(data_dir / "tiny_set" / "1.0.0")
    examples = builder.as_dataset("plain").as_numpy_iterator()
    order = [int(example["image"][0, 0, 0]) for example in examples]
    data = load_data(
        "tiny_set",
        data_dir=data_dir,
        splits={"train": "plain[:50%]+extra", "test": "plain[50%:]"},
        cache=cache,
    )
    train, validation, test = levels_of(data)
    assert sorted(train + validation) == sorted(order[:15] + [0, 1, 2])
    assert len(validation) == 2
    assert test == sorted(order[15:])


def test_what_is_held_out_of_many_files_does_not_hang_on_the_cache(
    prepare_tfds,
):
    data_dir = prepare_tfds({"train": LABELS * 8}, num_shards=7)
    assert len(list(data_dir.glob("tiny_set/1.0.0/*tfrecord*"))) == 7
    cached, streamed = (
        levels_of(load_data("tiny_set", data_dir=data_dir, cache=cache))
        for cache in (True, False)
    )
    assert cached == streamed


def test_what_is_held_out_of_a_part_does_not_hang_on_the_cache(prepare_tfds):
    data_dir = prepare_tfds({"plain": LABELS, "extra": [0, 1, 2]})
    cached, streamed = (
        levels_of(
            load_data(
                "tiny_set",
                data_dir=data_dir,
                splits="train=plain[3:20]+extra+plain[25:]",
                cache=cache,
            )
        )
        for cache in (True, False)
    )
    assert cached == streamed
    assert sum(map(len, cached)) == 25


@pytest.mark.parametrize(
    "splits, message",
    [
        ("train=plain[:60%],test=plain[50%:]", "train and test share 3"),
        ("train=plain[:0],test=extra", r"in each split.*train=plain\[:0\]"),
        ("train=plane,test=extra", "some of plain, extra.*'plane'"),
        ("train=plain[:x],test=extra", r"Received: 'plain\[:x\]'"),
    ],
)
def test_mistakes_are_named(prepare_tfds, splits, message):
    data_dir = prepare_tfds({"plain": LABELS, "extra": [0, 1, 2]})
    with pytest.raises(ValueError, match=message):
        load_data("tiny_set", data_dir=data_dir, splits=splits)


@pytest.mark.parametrize("cache", [True, False])
def test_labels_may_be_texts(prepare_tfds, cache):
    features = {
        "image": tfds.features.Image(shape=(8, 8, 3)),
        "label": tfds.features.Text(),
    }
    names = ["wasp", "ant", "bee"]
    data_dir = prepare_tfds(
        {"train": [names[n] for n in LABELS], "test": names},
        features=features,
    )
    data = load_data("tiny_set", data_dir=data_dir, cache=cache)
    assert data.class_names == ["ant", "bee", "wasp"]
    images, labels = data.train.images_and_labels()
    assert_array_equal(labels, (images[:, 0, 0, 0] + 2) % 3)
    assert_array_equal(data.test.class_counts, [1, 1, 1])


def test_too_few_images_to_hold_some_out_are_refused(prepare_tfds):
    data_dir = prepare_tfds({"plain": LABELS})
    with pytest.raises(ValueError, match="with 2 in plain"):
        load_data("tiny_set", data_dir=data_dir, splits="train=plain[:2]")
