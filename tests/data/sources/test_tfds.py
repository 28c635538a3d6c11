import numpy as np
import pytest
import tensorflow_datasets as tfds
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import load_data
from keras_csg.data.image_reading import PLAIN

LABELS = [0, 1, 2] * 10


def red_levels(split):
    """The numbers of the images, as `prepare_tfds` wrote them."""
    return sorted(split.images_and_labels()[0][:, 0, 0, 0].tolist())


def sizes(data):
    return [s.num_examples for s in (data.train, data.validation, data.test)]


@pytest.mark.parametrize("cache", [True, False])
def test_train_and_test(prepare_tfds, cache):
    data_dir = prepare_tfds({"train": LABELS, "test": [0, 1, 2]})
    data = load_data("tiny_set", data_dir=data_dir, cache=cache)
    assert data.class_names == ["ant", "bee", "cow"]
    assert data.image_shape == (8, 8, 3)
    assert data.train.cached == data.test.cached == cache
    assert sizes(data) == [27, 3, 3]
    assert sorted(red_levels(data.train) + red_levels(data.validation)) == list(
        range(30)
    )
    assert_array_equal(data.test.class_counts, [1, 1, 1])
    assert_array_equal(
        data.train.class_counts + data.validation.class_counts, [10, 10, 10]
    )
    images, labels = data.train.images_and_labels()
    assert_array_equal(labels, images[:, 0, 0, 0] % 3)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int32)


def test_reading_a_set_warns_of_nothing(prepare_tfds, monkeypatch):
    said = []
    monkeypatch.setattr(
        "absl.logging.log_first_n", lambda level, text, *rest: said.append(text)
    )
    data_dir = prepare_tfds({"train": LABELS, "test": [0, 1, 2]})
    said.clear()  # What writing it was warned of.
    load_data("tiny_set", data_dir=data_dir, cache=True)
    assert not [text for text in said if "deprecated" in text]


def test_the_environment_says_where_the_sets_are(prepare_tfds, monkeypatch):
    data_dir = prepare_tfds({"train": LABELS, "test": [0, 1, 2]})
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    assert sizes(load_data("tiny_set:1.0.0")) == [27, 3, 3]


@pytest.mark.parametrize("cache", [True, False])
def test_a_validation_split_serves_as_test_where_there_is_none(
    prepare_tfds, cache
):
    data_dir = prepare_tfds({"train": LABELS, "validation": [0, 1]})
    lines = []
    data = load_data(
        "tiny_set", data_dir=data_dir, cache=cache, log=lines.append
    )
    assert sizes(data) == [27, 3, 2]
    assert "tiny_set: validation serves as the test split." in lines
    assert "tiny_set: validation held out of train." in lines


@pytest.mark.parametrize("cache", [True, False])
def test_all_three_splits_are_taken_as_they_are(prepare_tfds, cache):
    splits = {"train": LABELS, "validation": [0, 1], "test": [0, 1, 2, 0]}
    data = load_data("tiny_set", data_dir=prepare_tfds(splits), cache=cache)
    assert sizes(data) == [30, 2, 4]


@pytest.mark.parametrize("cache", [True, False])
def test_test_is_held_out_where_there_is_train_alone(prepare_tfds, cache):
    data_dir = prepare_tfds({"train": LABELS})
    data = load_data("tiny_set", data_dir=data_dir, cache=cache)
    assert sizes(data) == [22, 2, 6]
    levels = [red_levels(s) for s in (data.train, data.validation, data.test)]
    assert sorted(sum(levels, [])) == list(range(30))


def test_what_is_held_out_does_not_hang_on_the_cache(prepare_tfds):
    data_dir = prepare_tfds({"train": LABELS * 8})
    for seed in (0, 1):
        cached, streamed = (
            load_data("tiny_set", data_dir=data_dir, cache=cache, seed=seed)
            for cache in (True, False)
        )
        for name in ("train", "validation", "test"):
            levels = red_levels(getattr(cached, name))
            assert levels == red_levels(getattr(streamed, name))
        assert cached.listing == streamed.listing


@pytest.mark.parametrize("cache", [True, False])
def test_splits_by_other_names(prepare_tfds, cache):
    splits = {"training": LABELS, "val": [0, 1], "testing": [0, 1, 2, 0]}
    data = load_data("tiny_set", data_dir=prepare_tfds(splits), cache=cache)
    assert sizes(data) == [30, 2, 4]


@pytest.mark.parametrize("cache", [True, False])
def test_val_and_train_alone(prepare_tfds, cache):
    data_dir = prepare_tfds({"train": LABELS, "val": [0, 1]})
    lines = []
    data = load_data(
        "tiny_set", data_dir=data_dir, cache=cache, log=lines.append
    )
    assert sizes(data) == [27, 3, 2]
    assert "tiny_set: val serves as the test split." in lines


def test_only_splits_that_are_looked_at_are_decoded(prepare_tfds):
    data_dir = prepare_tfds({"train": LABELS, "test": [0, 1]})
    lines = []
    data = load_data(
        "tiny_set", data_dir=data_dir, cache=True, log=lines.append
    )
    assert sizes(data) == [27, 3, 2]

    def decoded():
        return [line.split()[2] for line in lines if "Decoding" in line]

    assert decoded() == []
    for _ in range(2):
        data.test.images_and_labels()
        assert decoded() == ["test"]
    for split in (data.validation, data.train, data.train):
        next(iter(split.batches(2)))
        assert decoded() == ["test", "train"]


def test_pixels_are_those_of_files(cifar10_dir, tmp_path):
    """The JPEG in the record, as a file by itself, is the same image."""
    data = load_data(
        "cifar10", data_dir=cifar10_dir, image_size=48, cache=False
    )
    builder = tfds.builder("cifar10", data_dir=cifar10_dir)
    encoded = builder.as_dataset(
        split="test[:8]",
        shuffle_files=False,
        decoders={"image": tfds.decode.SkipDecoding()},
    )
    images, _ = data.test.images_and_labels(8)
    for image, example in zip(images, encoded.as_numpy_iterator(), strict=True):
        path = tmp_path / "a.jpg"
        path.write_bytes(example["image"])
        assert_array_equal(image, PLAIN.decode(path, (48, 48)))


def test_a_test_split_without_labels_is_not_used(prepare_tfds):
    splits = {"train": LABELS, "validation": [0, 1], "test": [-1, -1, -1]}
    data = load_data("tiny_set", data_dir=prepare_tfds(splits))
    assert sizes(data) == [27, 3, 2]


def test_a_set_without_train_is_refused(prepare_tfds):
    data_dir = prepare_tfds({"test": LABELS})
    with pytest.raises(ValueError, match="a train split.* with splits test"):
        load_data("tiny_set", data_dir=data_dir)


def test_grey_images_become_rgb(prepare_tfds):
    data_dir = prepare_tfds({"train": LABELS}, shape=(8, 8, 1))
    images, _ = load_data(
        "tiny_set", data_dir=data_dir
    ).train.images_and_labels()
    assert images.shape == (22, 8, 8, 3)
    assert_array_equal(images[..., 0], images[..., 2])


@pytest.mark.parametrize("cache", [True, False])
def test_images_of_many_sizes(prepare_tfds, cache):
    data_dir = prepare_tfds(
        {"train": LABELS}, shape=(None, None, 3), sizes=[(9, 20), (30, 12)]
    )
    data = load_data(
        "tiny_set", data_dir=data_dir, image_size=(6, 10), cache=cache
    )
    images, labels = data.train.images_and_labels()
    assert images.shape[1:] == data.image_shape == (6, 10, 3)
    # Uniform images stay what they are.
    assert_array_equal(images, images[:, :1, :1] + np.zeros_like(images))
    assert_array_equal(labels, images[:, 0, 0, 0] % 3)
    default = load_data("tiny_set", data_dir=data_dir, cache=False)
    assert default.image_shape == (224, 224, 3)
    assert not default.small_images


def test_characters_are_not_mirrored(prepare_tfds):
    data_dir = prepare_tfds({"train": LABELS}, name="mnist", shape=(28, 28, 1))
    # Under the name of a stock set, in the folder of its stock version.
    (data_dir / "mnist" / "1.0.0").rename(data_dir / "mnist" / "3.0.1")
    info = data_dir / "mnist" / "3.0.1" / "dataset_info.json"
    info.write_text(info.read_text().replace("1.0.0", "3.0.1"))
    data = load_data("mnist", data_dir=data_dir)
    assert not data.allow_flip


@pytest.mark.parametrize(
    "features, keys",
    [
        ({"label": tfds.features.Tensor(shape=(), dtype=np.int64)}, "label"),
    ],
)
def test_a_set_without_image_and_class_says_what_it_has(
    prepare_tfds, features, keys
):
    features["image"] = tfds.features.Image(shape=(8, 8, 3))
    data_dir = prepare_tfds(
        {"train": LABELS},
        features=features,
        supervised_keys=keys and ("image", keys),
    )
    with pytest.raises(ValueError, match="whose features are image, label"):
        load_data("tiny_set", data_dir=data_dir)


@pytest.mark.parametrize("cache", [True, False])
def test_the_only_image_and_label_need_not_be_named(prepare_tfds, cache):
    data_dir = prepare_tfds(
        {"train": LABELS, "test": [0, 1, 2]}, supervised_keys=None
    )
    data = load_data("tiny_set", data_dir=data_dir, cache=cache)
    assert sizes(data) == [27, 3, 3]
    images, labels = data.train.images_and_labels()
    assert_array_equal(labels, images[:, 0, 0, 0] % 3)


@pytest.mark.slow
def test_cifar10(cifar10_dir):
    data = load_data("cifar10", data_dir=cifar10_dir, cache=True)
    assert sizes(data) == [45000, 5000, 10000]
    # By blocks of the set's order, whatever is in them.
    assert_allclose(data.validation.class_counts, 500, atol=60)
    assert data.class_names[3] == "cat"
    assert data.allow_flip
    assert data.small_images
    images = np.concatenate(
        [s.images_and_labels()[0] for s in (data.train, data.validation)]
    )
    # Those of CIFAR-10 itself, which the copy in JPEG keeps; TensorFlow's
    # quicker decoding would give 0.4868, 0.4822 and 0.4414.
    means = images.mean((0, 1, 2)) / 255
    assert_allclose(means, [0.4914, 0.4822, 0.4465], atol=5e-4)


def test_cifar10_streamed(cifar10_dir):
    data = load_data("cifar10", data_dir=cifar10_dir, cache=False)
    assert sizes(data) == [45000, 5000, 10000]
    images, labels = data.test.images_and_labels(10)
    assert images.shape == (10, 32, 32, 3)
    assert labels.max() < 10
