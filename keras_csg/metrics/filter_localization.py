import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from keras_csg.metrics.localization import (
    overlap,
    packed,
    share_of_highest,
)
from keras_csg.metrics.resizing import bilinear_weights, one_blas_thread

_CHUNK_BYTES = 2**21
"""Resized maps in flight for each thread: what the cache of a core holds."""


class FilterLocalization(NamedTuple):
    """How well the filters' activations localise objects.

    Attributes:
        iou: float array `(filters,)`: mean intersection over union over the
            images of the filter's class.
        ap20: float array `(filters,)`: share of them of at least 0.2.
        ap30: float array `(filters,)`: share of them above 0.3.
        pointing_game: float array `(filters,)`: share of them in which the
            filter is most active on the object; see `pointing_game`.
        classes: int array `(filters,)`: the class of each filter.
    """

    iou: np.ndarray
    ap20: np.ndarray
    ap30: np.ndarray
    pointing_game: np.ndarray
    classes: np.ndarray

    def figures(self) -> dict[str, float]:
        """Returns the means over the filters, a dict of floats."""
        return {
            name: float(np.nanmean(getattr(self, name)))
            for name in ("iou", "ap20", "ap30", "pointing_game")
        }


def filter_localization(
    maps: np.ndarray,
    labels: np.ndarray,
    masks: np.ndarray,
    thresholds: np.ndarray,
    candidates: np.ndarray,
) -> FilterLocalization:
    """Scores every filter on the class it localises best.

    A filter marks the pixels where its map, resized bilinearly, is at least
    its threshold. Of its candidate classes it takes the one with the highest
    `ap30`, of equal ones the first, as the paper's own code does.

    Args:
        maps: float array of shape `(samples, h, w, filters)`.
        labels: ints of shape `(samples,)` in `[0, num_classes)`.
        masks: bool array of shape `(samples, height, width)`.
        thresholds: array of shape `(filters,)`; see `activation_thresholds`.
        candidates: bool array of shape `(num_classes, filters)`: the classes
            to choose from, for each filter.

    Returns:
        `FilterLocalization`; NaN for a filter without a class that has images.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    overlaps, hits = filter_scores(maps, masks, thresholds)
    scores = np.stack([overlaps, overlaps >= 0.2, overlaps > 0.3, hits])
    counts = np.bincount(labels, minlength=len(candidates))
    members = np.eye(len(candidates))[:, labels]  # (classes, samples)
    means = members @ scores / np.maximum(counts, 1)[:, None]
    possible = candidates & (counts > 0)[:, None]
    classes = np.where(possible, means[2], -1).argmax(axis=0)
    best = np.take_along_axis(means, classes[None, None], axis=1)[:, 0]
    best[:, ~possible.any(axis=0)] = np.nan
    iou, ap20, ap30, hit = best
    return FilterLocalization(iou, ap20, ap30, hit, classes)


def filter_scores(
    maps: np.ndarray, masks: np.ndarray, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns how each filter's resized map and the object agree.

    Args:
        maps: float array of shape `(samples, h, w, filters)`.
        masks: bool array of shape `(samples, height, width)`, none empty.
        thresholds: array of shape `(filters,)`.

    Returns:
        A tuple of two float32 arrays of shape `(samples, filters)`, in
        `[0, 1]`: the overlap of the filter's high activations with the object,
        0 for a map that is nowhere as high; and whether it is most active on
        the object, as `pointing_game` has it. 0 in both for a map that is the
        same everywhere.

    Raises:
        ValueError: if a mask is empty or the shapes do not fit.
    """
    maps, masks = _checked(maps, masks)
    size = masks.shape[1:]
    rows = bilinear_weights(maps.shape[1], size[0])
    columns = bilinear_weights(maps.shape[2], size[1]).T
    # The weights sum to one, so the threshold can be taken off beforehand.
    above = np.moveaxis(maps - np.asarray(thresholds, "float32"), 3, 1)
    bits = packed(masks)[:, None]

    def score(part):
        resized = np.matmul(rows, np.matmul(above[part], columns))
        return (
            overlap(packed(resized >= 0), bits[part]),
            share_of_highest(resized, bits[part]),
        )

    step = max(1, _CHUNK_BYTES // (4 * maps.shape[3] * size[0] * size[1]))
    parts = [slice(s, s + step) for s in range(0, len(maps), step)]
    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
        scores = list(pool.map(score, parts))
    seen = np.ptp(maps, axis=(1, 2)) > 0  # Not the same everywhere.
    overlaps, hits = (
        np.concatenate(part) for part in zip(*scores, strict=True)
    )
    return (
        (seen * overlaps).astype("float32"),
        (seen * hits).astype("float32"),
    )


def _checked(maps, masks):
    maps, masks = np.asarray(maps, "float32"), np.asarray(masks)
    if maps.ndim != 4 or masks.ndim != 3 or len(maps) != len(masks):
        raise ValueError(
            "`maps` must have shape (samples, h, w, filters) and `masks` "
            f"(samples, height, width). Received: maps.shape={maps.shape}, "
            f"masks.shape={masks.shape}"
        )
    if not masks.any(axis=(1, 2)).all():
        raise ValueError(
            "Every mask must show an object. Received: "
            f"{(~masks.any(axis=(1, 2))).sum()} empty masks"
        )
    return maps, masks
