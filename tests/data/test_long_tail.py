"""Data of uneven classes, made of even ones."""

import numpy as np
import pytest

from keras_csg.data import load_data, long_tailed
from keras_csg.data.splits.renumbered import RenumberedSplit
from keras_csg.data.splits.streamed import StreamedSplit
from tests.tiny import tiny_split

tf = pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", image_size=8)


def test_counts_lie_on_an_exponential_curve(digits):
    thin = long_tailed(digits, 50, seed=1)
    most = digits.train.class_counts.max()
    wanted = [round(most * 50 ** (-c / 9)) for c in range(10)]
    expected = np.minimum(wanted, digits.train.class_counts)
    np.testing.assert_array_equal(thin.train.class_counts, expected)
    assert expected[-1] == 3
    assert thin.train.num_examples == expected.sum()
    assert thin.test is digits.test
    assert thin.validation is digits.validation


def test_images_are_some_of_those_there_and_the_seed_says_which(digits):
    first, again, other = (
        long_tailed(digits, 10, seed=seed).train.images_and_labels()
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    images, labels = digits.train.images_and_labels()
    known = {(x.tobytes(), y) for x, y in zip(images, labels, strict=True)}
    kept = {(x.tobytes(), y) for x, y in zip(*first, strict=True)}
    assert kept <= known


def test_classes_in_another_order_are_thinned_out_in_theirs(digits):
    turned = digits.in_order_of(digits.class_names[::-1])
    assert isinstance(turned.train, RenumberedSplit)
    counts = long_tailed(turned, 50).train.class_counts
    assert counts[0] == turned.train.class_counts[0]
    assert counts[-1] == 3
    _, labels = long_tailed(turned, 50).train.images_and_labels()
    np.testing.assert_array_equal(np.bincount(labels), counts)


@pytest.mark.parametrize("factor", [1, 0, -3, float("nan"), "much"])
def test_a_factor_that_is_none_is_refused(digits, factor):
    with pytest.raises(ValueError, match="`factor` must be a number above 1"):
        long_tailed(digits, factor)


def streamed():
    split = tiny_split()
    images, labels = split.images_and_labels()
    examples = tf.data.Dataset.from_tensor_slices((images, labels))
    return StreamedSplit(
        examples, lambda image: image, 10, len(labels), 4, (8, 8, 3)
    )


def test_images_in_a_stream_are_neither_chosen_nor_drawn():
    with pytest.raises(ValueError, match="cannot be chosen: keep them in mem"):
        streamed().some(np.arange(3))
    with pytest.raises(ValueError, match="take `class_weights` or"):
        streamed().training_batches(8, seed=0, sampling="balanced")


def test_balanced_sampling_draws_all_classes_alike(digits):
    rare = long_tailed(digits, 50).train
    batches = rare.training_batches(64, seed=3, epochs=40, sampling="balanced")
    labels = np.concatenate([y.numpy() for _, y in batches])
    assert len(labels) == 40 * rare.num_examples
    shares = np.bincount(labels, minlength=10) / len(labels)
    # Four standard deviations of a share of a tenth in as many draws.
    allowed = 4 * np.sqrt(0.09 / len(labels))
    np.testing.assert_allclose(shares, 0.1, atol=allowed)


def test_draws_are_a_function_of_seed_and_epoch(digits):
    rare = long_tailed(digits, 50).train

    def labels(**kwargs):
        batches = rare.training_batches(64, sampling="balanced", **kwargs)
        return np.concatenate([y.numpy() for _, y in batches])

    both = labels(seed=3, epochs=2)
    second = labels(seed=3, first_epoch=1, epochs=2)
    count = rare.num_examples
    np.testing.assert_array_equal(both[count:], second)
    assert not np.array_equal(both[:count], both[count:])


def test_every_image_of_a_class_is_drawn(digits):
    rare = long_tailed(digits, 50).train
    batches = rare.training_batches(64, seed=0, epochs=30, sampling="balanced")
    drawn = {x.tobytes() for xs, _ in batches for x in xs.numpy()}
    images, labels = rare.images_and_labels()
    rarest = {x.tobytes() for x in images[labels == 9]}
    assert rarest <= drawn
