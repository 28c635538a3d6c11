import hashlib
import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.data.splits.hashed import (
    TEST,
    TRAIN,
    VALIDATION,
    assign_splits,
    hold_out_blocks,
)


def names(count, folder="cat"):
    return [f"{folder}/{number}.png" for number in range(count)]


def assign(keys, labels=None, fraction=0.1, seed=0, with_test=True):
    labels = np.zeros(len(keys), int) if labels is None else np.array(labels)
    return assign_splits(keys, labels, fraction, seed, with_test=with_test)


def test_the_hash_is_of_the_name_and_of_nothing_else():
    key = "cat/7.png"
    digest = hashlib.blake2b(b"test\0cat/7.png", digest_size=8).digest()
    expected = int.from_bytes(digest, "little") / 2**64 < 0.2
    assert (assign(names(100))[7] == TEST) == expected
    assert assign([key, *names(7)])[0] == assign(names(100))[7]


def test_shares_are_met_about():
    counts = np.bincount(assign(names(10_000), fraction=0.1))
    np.testing.assert_allclose(counts, [7200, 800, 2000], rtol=0.05)
    counts = np.bincount(assign(names(10_000), with_test=False, fraction=0.3))
    np.testing.assert_allclose(counts, [7000, 3000], rtol=0.03)


def test_nothing_moves_when_data_grow_or_shrink():
    keys = names(400)
    splits = dict(zip(keys, assign(keys), strict=True))
    more = names(500, "a") + keys[::2] + names(500, "z")
    grown = dict(zip(more, assign(more), strict=True))
    assert {key: grown[key] for key in keys[::2]} == {
        key: splits[key] for key in keys[::2]
    }


def test_another_seed_validates_on_others_and_tests_on_the_same():
    first, second = assign(names(500), seed=0), assign(names(500), seed=1)
    assert_array_equal(first == TEST, second == TEST)
    assert np.any((first == VALIDATION) != (second == VALIDATION))


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_served_train_first_then_test_then_validation(seed):
    sizes = [1, 2, 3, 4, 5, 23]
    labels = np.repeat(np.arange(len(sizes)), sizes)
    keys = [f"{label}/{n}" for n, label in enumerate(labels)]
    splits = assign(keys, labels, seed=seed)
    counts = [
        np.bincount(splits[labels == label], minlength=3).tolist()
        for label in range(len(sizes))
    ]
    assert counts[:3] == [[1, 0, 0], [1, 0, 1], [1, 1, 1]]
    assert all(min(count) >= 1 for count in counts[3:])


def test_many_small_classes():
    labels = np.repeat(np.arange(300), 3)
    splits = assign([str(n) for n in range(900)], labels)
    assert_array_equal(np.bincount(splits), [300, 300, 300])
    splits = assign([str(n) for n in range(900)], labels, with_test=False)
    assert all(
        set(splits[labels == label]) == {TRAIN, VALIDATION}
        for label in range(300)
    )


@pytest.mark.parametrize("seed", range(5))
def test_those_of_one_name_go_together(seed):
    keys = [f"patient {n // 4}" for n in range(60)]
    labels = np.arange(60) // 4 % 3
    splits = assign(keys, labels, seed=seed).reshape(15, 4)
    assert_array_equal(splits, splits[:, :1].repeat(4, axis=1))
    for label in range(3):
        assert set(splits[label::3].ravel()) == {TRAIN, VALIDATION, TEST}


def test_a_class_of_one_group_is_trained_on():
    splits = assign(["a"] * 9 + ["b", "c", "d"], [0] * 9 + [1] * 3)
    assert_array_equal(splits[:9], TRAIN)


def test_a_name_that_is_no_utf_8():
    assert len(assign(["cat/\udcff.png", "b", "c"])) == 3


def test_blocks_share_out_a_set_by_its_order():
    ranges = hold_out_blocks(50_000, {"test": 0.2, "validation": 0.1}, seed=3)
    held = {
        name: np.concatenate([np.arange(*pair) for pair in pairs])
        for name, pairs in ranges.items()
    }
    assert [len(held[name]) for name in ("train", "validation", "test")] == [
        36_000,
        4_000,
        10_000,
    ]
    assert_array_equal(
        np.sort(np.concatenate(list(held.values()))), np.arange(50_000)
    )
    # From everywhere, in pieces.
    assert all(len(pairs) > 10 for pairs in ranges.values())
    assert np.ptp(held["validation"]) > 40_000


def test_blocks_of_a_small_set_are_single_examples():
    ranges = hold_out_blocks(30, {"validation": 0.1}, seed=0)
    assert sum(stop - start for start, stop in ranges["validation"]) == 3
    assert sum(stop - start for start, stop in ranges["train"]) == 27


def test_of_blocks_another_seed_takes_others_but_for_the_test_split():
    fractions = {"test": 0.2, "validation": 0.1}
    first, second = (hold_out_blocks(999, fractions, seed) for seed in (0, 1))
    assert first["test"] == second["test"]
    assert first["validation"] != second["validation"]


def test_few_names_are_shared_out_wherever_they_can_be():
    """Every small table that leaves each split something, by trying all."""
    random = np.random.default_rng(1)
    refused = 0
    for table in range(600):
        names = int(random.integers(2, 7))
        classes = int(random.integers(2, 5))
        has = random.random((names, classes)) < 0.5
        if not (has.any(axis=0).all() and has.any(axis=1).all()):
            continue
        numbers, labels = np.nonzero(has)
        keys = [f"{table} {number}" for number in numbers]
        held = int(random.integers(1, 3))
        splits = assign(keys, labels, with_test=held == 2)
        can = any(
            np.delete(has, chosen, axis=0).any(axis=0).all()
            for chosen in itertools.combinations(range(names), held)
        )
        served = {*labels[splits == TRAIN]} == {*range(classes)}
        needed = {VALIDATION, TEST} if held == 2 else {VALIDATION}
        assert (served and needed <= {*splits.tolist()}) == can
        refused += not can
    assert 30 < refused < 500
