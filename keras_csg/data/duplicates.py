"""Images that are there twice: the same file, or nearly the same picture."""

import hashlib
import os
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from keras_csg.data.image_files import in_threads
from keras_csg.data.splits.hashed import by_label

START = 2**16
"""Bytes that are compared before whole files are."""
WHOLE = 2**20
"""Bytes up to which a file is hashed as a whole."""
NEAR = 4
"""Bits of 64 in which the hashes of near pictures differ, at most."""


def equal_files(paths: Sequence[str]) -> list[list[int]]:
    """Finds files of the same content.

    By their size, then by how they start, and only then as a whole, so that
    few of a million files are read to their end.

    Args:
        paths: list of str.

    Returns:
        A list of groups: lists of two or more numbers of files, in order.
    """
    groups = [list(range(len(paths)))]
    for key in (os.path.getsize, _start, _whole):
        groups = _parted(paths, groups, key)
    return sorted(groups)


def content_of(path: str | os.PathLike) -> str:
    """Returns a hash of a file, 16 hex digits.

    Of all of it up to `WHOLE` bytes; of larger ones of the size, the start,
    the middle and the end.
    """
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        own = hashlib.blake2b(str(size).encode(), digest_size=8)
        if size <= WHOLE:
            own.update(stream.read())
        else:
            for place in (0, size // 2, size - START):
                stream.seek(place)
                own.update(stream.read(START))
    return own.hexdigest()


def near_pictures(hashes: np.ndarray, most: int = NEAR) -> list[list[int]]:
    """Finds pictures whose perceptual hashes differ in few bits.

    Hashes that differ in `most` bits are equal in one of `most + 1` pieces, so
    only those that share a piece are compared.

    Args:
        hashes: bool array of shape `(pictures, bits)`.
        most: int. Bits in which two near ones differ, at most.

    Returns:
        A list of groups: lists of two or more numbers, in order. In a group
        each is near to another, not to every other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = [np.empty((0, 2), int)]
    for piece in np.array_split(hashes, most + 1, axis=1):
        keys = np.packbits(piece, axis=1)
        for group in _equal_rows(keys):
            pairs.append(_near_in(group, hashes, most))
    first, second = np.concatenate(pairs).T
    links = coo_array(
        (np.ones(len(first)), (first, second)), shape=(len(hashes),) * 2
    )
    _, component = connected_components(links, directed=False)
    return _groups(component)


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """Returns 64 bits on what a picture looks like, a bool array `(64,)`.

    Args:
        image: uint8 array of shape `(height, width, 3)`.
    """
    import imagehash
    from PIL import Image

    return imagehash.phash(Image.fromarray(image)).hash.ravel()


def _parted(
    paths: Sequence[str],
    groups: list[list[int]],
    key: Callable[[str], Hashable],
) -> list[list[int]]:
    """Returns the parts of the groups that have a key in common."""
    numbers = [number for group in groups for number in group]
    group_of = [place for place, group in enumerate(groups) for _ in group]
    keys = in_threads(key, [paths[number] for number in numbers])
    found: dict[Any, list[int]] = {}
    for number, own in zip(
        numbers, zip(group_of, keys, strict=True), strict=True
    ):
        found.setdefault(own, []).append(number)
    return [part for part in found.values() if len(part) > 1]


def _start(path):
    with open(path, "rb") as stream:
        return hashlib.blake2b(stream.read(START)).digest()


def _whole(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "blake2b").digest()


def _equal_rows(keys):
    """Returns groups of numbers of equal rows."""
    _, numbers = np.unique(keys, axis=0, return_inverse=True)
    return _groups(numbers.reshape(-1))


def _groups(labels):
    """Returns the numbers of each label that two or more have."""
    parts = by_label(labels)
    return sorted(part.tolist() for part in parts if len(part) > 1)


def _near_in(group, hashes, most):
    """Returns the pairs within a group that are near, `(pairs, 2)`."""
    numbers = np.array(group)
    found = []
    for place, number in enumerate(numbers[:-1]):
        others = numbers[place + 1 :]
        differ = np.count_nonzero(hashes[others] != hashes[number], axis=1)
        near = others[differ <= most]
        found.append(np.stack([np.full(len(near), number), near], axis=1))
    return np.concatenate(found)
