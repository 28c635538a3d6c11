"""Pictures of two handwritten digits each, and a table of what they show."""

import csv

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

NAMES = [
    "zero", "one", "two", "three", "four",
    "five", "six", "seven", "eight", "nine",
]  # fmt: skip


def write_pairs(folder, count, side=8, seed=0):
    """Writes PNG files, twice as wide as high, and `labels.csv`.

    A fifth is to test on, of digits that are in no other picture.
    """
    digits, rng = load_digits(), np.random.default_rng(seed)
    order = rng.permutation(len(digits.images))
    pools = {"test": order[:360], "train": order[360:]}
    folder.mkdir(parents=True)
    rows = []
    for number in range(count):
        split = "test" if number < count // 5 else "train"
        pair = rng.choice(pools[split], 2)
        pixels = np.hstack(digits.images[pair]) / 16 * 255
        image = Image.fromarray(pixels.astype("uint8"))
        image.resize((2 * side, side)).save(folder / f"{number:04}.png")
        names = sorted({NAMES[n] for n in digits.target[pair]})
        rows.append([f"{number:04}.png", "|".join(names), split])
    with (folder / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["file", "label", "split"], *rows])
    return folder
