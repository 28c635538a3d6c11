"""Splits that stay where they are while data grow."""

import hashlib
import itertools
from collections.abc import Sequence

import numpy as np

TRAIN, VALIDATION, TEST = range(3)
TEST_FRACTION = 0.2
"""Share held out as test split where data have none."""
BLOCKS = 200
"""Pieces of a data set that is read in order, of which some are held out."""
TRIED = 48
"""Names that are tried for a split that got none."""


def assign_splits(
    keys: Sequence[str],
    labels: np.ndarray,
    validation_split: float,
    seed: int,
    *,
    with_test: bool,
) -> np.ndarray:
    """Says which split each example belongs to, by a hash of its name.

    So an example stays where it is when others come or go. Every class is
    served as far as it goes: it has one to train on first, then one to test
    on, then one to validate on.

    Args:
        keys: list of str. The examples' names; those that share one go
            together.
        labels: int array of shape `(examples,)`.
        validation_split: float. Share of the rest that is validated on.
        seed: int. Of the validation split; the test split has none.
        with_test: bool. Whether to hold out a test split.

    Returns:
        int array `(examples,)` of `TRAIN`, `VALIDATION` and `TEST`.
    """
    splits = np.full(len(keys), TRAIN)
    by_seed = _unit_hashes(keys, f"validation {seed}")
    splits[by_seed < validation_split] = VALIDATION
    by_name = _unit_hashes(keys, "test")
    if with_test:
        splits[by_name < TEST_FRACTION] = TEST
    # In the order of need, and how near each example is to being in it.
    nearness = {TRAIN: by_seed, TEST: -by_name, VALIDATION: -by_seed}
    if not with_test:
        del nearness[TEST]
    classes = by_label(labels)
    for number, split in enumerate(nearness):
        # One that is in more need than these gives them its only one.
        later = [*nearness][number + 1 :]
        for own in classes:
            if not np.any(splits[own] == split):
                order = np.argsort(-nearness[split][own], kind="stable")
                _serve(splits, own[order], split, later, by_name, labels)
    held = [split for split in nearness if split != TRAIN]
    if not {*held} <= {*splits.tolist()}:
        _hold_single_names(splits, by_name, labels, held)
    return splits


def by_label(labels: np.ndarray) -> list[np.ndarray]:
    """Returns the places of each label that there is, in order.

    Args:
        labels: int array of shape `(examples,)`, at least 0.
    """
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    return np.split(order, starts[1:])


def _serve(splits, own, split, later, names, labels):
    """Gives a split the first of a class's names that the others can spare."""
    for chosen in own:
        moved = names == names[chosen]
        given = splits[chosen]
        if given in later or all(
            len(np.unique(names[(labels == label) & (splits == given)])) > 1
            for label in np.unique(labels[moved])
        ):
            splits[moved] = split
            return


def _hold_single_names(splits, names, labels, held):
    """Gives each split that is held out one name, if the rest has all classes.

    Where few names have several classes each, what serves one class first can
    leave a split with nothing. Of the choices that are, the first that serves
    the most classes is taken.
    """
    owners = [{*names[own].tolist()} for own in by_label(labels)]
    needed = set().union(*(own for own in owners if len(own) == 1))
    spare = [n for n in np.unique(names).tolist() if n not in needed][:TRIED]
    choices = [
        chosen
        for chosen in itertools.permutations(spare, len(held))
        if not any(own <= {*chosen} for own in owners)
    ]
    if choices:
        best = max(
            choices,
            key=lambda chosen: sum(n in own for own in owners for n in chosen),
        )
        splits[:] = TRAIN
        for split, name in zip(held, best, strict=True):
            splits[names == name] = split


def _unit_hashes(keys, salt):
    """Returns a number in `[0, 1)` for each key, float64 `(keys,)`."""
    salted = hashlib.blake2b(salt.encode(), digest_size=8)
    digests = bytearray()
    for key in keys:
        own = salted.copy()
        own.update(b"\0" + key.encode("utf-8", "surrogateescape"))
        digests += own.digest()
    return np.frombuffer(digests, "<u8") / 2.0**64


def hold_out_blocks(
    count: int, fractions: dict[str, float], seed: int
) -> dict[str, list[tuple[int, int]]]:
    """Shares out a data set that is read in order, whole blocks at a time.

    Where labels are not at hand, and single examples would each cost the
    reading of what lies between them.

    Args:
        count: int. Number of examples.
        fractions: dict from `"test"` and `"validation"`, in this order, to the
            share of what is left that is held out for it.
        seed: int. Of all but the test split.

    Returns:
        dict from those names and `"train"` to lists of `(start, stop)`.
    """
    blocks = min(count, BLOCKS)
    bounds = np.linspace(0, count, blocks + 1).round().astype(int)
    left, found = np.arange(blocks), {}
    for name, fraction in fractions.items():
        salt = "test" if name == "test" else f"{name} {seed}"
        order = np.argsort(_unit_hashes([str(n) for n in left], salt))
        held = np.sort(left[order[: max(1, round(len(left) * fraction))]])
        found[name] = _joined(held, bounds)
        left = np.setdiff1d(left, held)
    return {**found, "train": _joined(left, bounds)}


def _joined(blocks, bounds):
    """Returns the ranges of blocks, those that touch as one."""
    ranges: list[tuple[int, int]] = []
    for block in blocks:
        start, stop = int(bounds[block]), int(bounds[block + 1])
        if ranges and ranges[-1][1] == start:
            start = ranges.pop()[0]
        ranges.append((start, stop))
    return ranges
