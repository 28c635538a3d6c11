import numpy as np
import pytest
from PIL import Image, ImageFilter

from keras_csg.data.duplicates import (
    equal_files,
    near_pictures,
    perceptual_hash,
)


def test_files_of_the_same_content(tmp_path):
    start = b"x" * 2**16
    contents = {
        "a": b"one",
        "b": b"two",
        "c": b"one",
        "long": start + b"1",
        "long other": start + b"2",
        "long again": start + b"1",
        "d": b"one",
        "empty": b"",
        "short": b"on",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in contents]
    assert equal_files(paths) == [[0, 2, 6], [3, 5]]
    assert equal_files([]) == []


def test_pictures_that_are_near_by_brute_force():
    rng = np.random.default_rng(0)
    hashes = rng.random((300, 64)) < 0.5
    for number in range(0, 100, 2):  # 0 to 6 bits off their neighbours.
        flipped = rng.permutation(64)[: number % 7]
        hashes[number + 1] = hashes[number]
        hashes[number + 1, flipped] ^= True
    distances = (hashes[:, None] != hashes).sum(axis=-1)
    near = {
        (i, j)
        for i, j in zip(*np.nonzero(distances <= 4), strict=True)
        if i < j
    }
    found = near_pictures(hashes)
    assert {tuple(group) for group in found} == near
    assert len(found) > 30


def test_a_chain_of_near_pictures_is_one_group():
    hashes = np.zeros((4, 64), bool)
    hashes[1, :3] = hashes[2, :6] = True
    hashes[3, 20:50] = True
    assert near_pictures(hashes) == [[0, 1, 2]]


@pytest.fixture
def picture():
    rng = np.random.default_rng(1)
    rough = rng.integers(0, 255, (6, 6, 3), "uint8")
    return Image.fromarray(rough).resize((64, 64), Image.Resampling.BICUBIC)


def bits(image, other):
    hashes = [perceptual_hash(np.asarray(i)) for i in (image, other)]
    return np.count_nonzero(hashes[0] != hashes[1])


def test_a_hash_is_of_what_a_picture_looks_like(picture):
    assert bits(picture, picture) == 0
    assert bits(picture, picture.resize((40, 40)).resize((64, 64))) <= 4
    assert bits(picture, picture.filter(ImageFilter.SHARPEN)) <= 4
    assert bits(picture, picture.transpose(Image.Transpose.ROTATE_90)) > 12
