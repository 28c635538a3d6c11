"""Data of uneven classes, made of even ones: to try what imbalance does."""

import dataclasses

import numpy as np

from keras_csg.arguments import real_number
from keras_csg.data.sources.base import ClassificationData


def long_tailed(
    data: ClassificationData, factor: float, seed: int = 0
) -> ClassificationData:
    """Thins out the training images of data, each class more than the last.

    The first class keeps all, the last one of `factor`, those between as many
    as lie on an exponential curve: CIFAR-10-LT at `factor=50`, say. Validation
    and test split stay as they are.

    Args:
        data: `ClassificationData` whose images can be read in any order.
        factor: float above 1.
        seed: int. Of the choice of the images.

    Raises:
        ValueError: if `factor` is not above 1, or the images are read one
            after another.

    Reference:
        - [Cui et al., 2019](https://arxiv.org/abs/1901.05555), section 5.1
    """
    factor = real_number("factor", factor, "a number above 1")
    if factor <= 1:
        raise ValueError(
            f"`factor` must be a number above 1. Received: factor={factor}"
        )
    labels = data.train.labels
    counts = np.bincount(labels, minlength=data.num_classes)
    powers = np.arange(data.num_classes) / (data.num_classes - 1)
    wanted = np.round(counts.max() * factor**-powers).astype(int)
    rng = np.random.default_rng(seed)
    kept = [
        rng.permutation(np.flatnonzero(labels == label))[: max(most, 1)]
        for label, most in enumerate(wanted)
    ]
    places = np.sort(np.concatenate(kept))
    return dataclasses.replace(data, train=data.train.some(places))
