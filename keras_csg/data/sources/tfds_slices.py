"""Splits of TensorFlow Datasets that a user names, such as `plain[:50%]`."""

import itertools
from collections.abc import Iterable, Mapping

import tensorflow_datasets as tfds


def check_slices(
    builder: tfds.core.DatasetBuilder, asked: Mapping[str, str]
) -> None:
    """Refuses what the set does not have, and images in two splits.

    Args:
        builder: prepared TFDS builder.
        asked: dict from our splits to what TFDS calls them: `train`,
            `plain[:50%]`, `a+b[10:]`.

    Raises:
        ValueError: naming the split.
    """
    pieces = {split: _pieces(builder, spec) for split, spec in asked.items()}
    for split, parts in pieces.items():
        if sum(stop - start for _, start, stop in parts) < 1:
            raise ValueError(
                "`splits` must have images in each split. "
                f"Received: {split}={asked[split]}"
            )
    for one, other in itertools.combinations(pieces, 2):
        shared = sum(
            max(0, min(stop, end) - max(start, begin))
            for name, start, stop in pieces[one]
            for also, begin, end in pieces[other]
            if name == also
        )
        if shared:
            raise ValueError(
                f"`splits` must not share images: {one} and {other} share "
                f"{shared:,}. Received: {one}={asked[one]}, "
                f"{other}={asked[other]}"
            )


def slices_of(
    builder: tfds.core.DatasetBuilder,
    spec: str,
    ranges: Iterable[tuple[int, int]],
) -> str:
    """Returns ranges of a split as TensorFlow Datasets writes them.

    Args:
        builder: prepared TFDS builder.
        spec: str. A split, or some of it.
        ranges: pairs of first and last but one of its images.
    """
    found = []
    for first, last in ranges:
        passed = 0
        for name, start, stop in _pieces(builder, spec):
            begin = start + max(0, first - passed)
            end = min(stop, start + last - passed)
            if begin < end:
                found.append(f"{name}[{begin}:{end}]")
            passed += stop - start
    return "+".join(found)


def bytes_of(builder: tfds.core.DatasetBuilder, spec: str) -> int:
    """Returns the mean size of an encoded image, in bytes, at least 1."""
    names = {name for name, _, _ in _pieces(builder, spec)}
    splits = [builder.info.splits[name] for name in names]
    count = sum(split.num_examples for split in splits)
    return max(1, sum(split.num_bytes for split in splits) // max(1, count))


def _pieces(builder, spec) -> list[tuple[str, int, int]]:
    """Returns split, first and last but one of all that is in some of it."""
    splits = builder.info.splits
    try:
        read = tfds.core.ReadInstruction.from_spec(spec)
        parts = read.to_absolute(splits)
    except Exception as error:  # Of its syntax, and of names.
        raise ValueError(
            f"`splits` must name some of {', '.join(splits)}, or parts of it "
            f"such as {next(iter(splits))}[:50%]. Received: {spec!r}"
        ) from error
    return [
        (
            part.splitname,
            part.from_ or 0,
            splits[part.splitname].num_examples if part.to is None else part.to,
        )
        for part in parts
    ]
