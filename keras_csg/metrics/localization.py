"""Whether maps point at the object: arrays in, arrays out.

An object is a mask, the bool array of its pixels; `keras_csg.data.boxes` turns
boxes into masks. An image whose mask is empty has no result: NaN. A constant
map has no highest place: it counts as a miss.
"""

import numpy as np

CAM_SHARE = 0.3
"""Share of the pixels that a class activation map marks."""


def top_pixels(maps: np.ndarray, share: float = CAM_SHARE) -> np.ndarray:
    """Marks the pixels where maps are highest.

    Args:
        maps: float array of shape `(..., height, width)`.
        share: float in `(0, 1]`. Share of the pixels to mark; more if the
            lowest of them is as high as others.

    Returns:
        bool array of that shape; all `False` for a constant map.

    Raises:
        ValueError: if `share` is out of its range.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    if not 0 < share <= 1:
        raise ValueError(f"`share` must be in (0, 1]. Received: share={share}")
    maps = check_maps(maps)
    pixels = maps.reshape(*maps.shape[:-2], -1)
    rank = max(1, int(share * pixels.shape[-1]))
    least = np.partition(pixels, -rank, axis=-1)[..., -rank, None]
    constant = np.ptp(pixels, axis=-1, keepdims=True) == 0
    return ((pixels >= least) & ~constant).reshape(maps.shape)


def intersection_over_union(
    predicted: np.ndarray, masks: np.ndarray
) -> np.ndarray:
    """Returns how well marked pixels cover the object's.

    Args:
        predicted: bool array of shape `(..., height, width)`.
        masks: bool array that broadcasts to it, such as
            `(samples, 1, height, width)` for several maps of each sample.

    Returns:
        float array of shape `(...)`, in `[0, 1]`; 0 where nothing is marked,
        NaN where the mask is empty.

    Raises:
        ValueError: if the images' sizes differ.
    """
    predicted, masks = packed(predicted), packed(masks)
    if predicted.shape[-1] != masks.shape[-1]:
        raise ValueError(
            "`predicted` and `masks` must be of one height and width. "
            f"Received: {predicted.shape[-1]} and {masks.shape[-1]} bytes of "
            "pixels"
        )
    return overlap(predicted, masks)


def packed(masks: np.ndarray) -> np.ndarray:
    """Packs masks, 64 pixels to a number.

    Args:
        masks: bool array of shape `(..., height, width)`.

    Returns:
        uint64 array of shape `(..., numbers)`.

    Raises:
        ValueError: if the masks are not bool or lack pixels.
    """
    masks = np.asarray(masks)
    if masks.dtype != bool or masks.ndim < 2 or 0 in masks.shape[-2:]:
        raise ValueError(
            "Masks must be bool and of shape (..., height, width). Received: "
            f"masks.shape={masks.shape}, masks.dtype={masks.dtype}"
        )
    pixels = masks.reshape(*masks.shape[:-2], -1)
    bits = np.packbits(pixels, axis=-1)
    if missing := -bits.shape[-1] % 8:
        bits = np.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, missing)])
    return bits.view("uint64")


def overlap(predicted: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns the intersection over union of `packed` masks."""
    both = _count(predicted & masks)
    object_area = _count(masks)
    union = _count(predicted) + object_area - both
    with np.errstate(invalid="ignore"):
        return np.where(object_area > 0, both / union, np.nan)


def _count(bits):
    return np.bitwise_count(bits).sum(axis=-1, dtype="int32")


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns whether each map is highest on the object.

    Args:
        maps: float array of shape `(..., height, width)`.
        masks: bool array that broadcasts to it.

    Returns:
        float array of shape `(...)`: 1 for a hit, 0 for a miss, the share of
        the highest pixels that lie on the object where there are several; 0
        for a constant map, NaN where the mask is empty.

    Raises:
        ValueError: if the shapes do not fit.

    Reference:
        - [Zhang et al., 2016](https://arxiv.org/abs/1608.00507), without the
          tolerance of 15 pixels
    """
    maps, masks = check_maps(maps), np.asarray(masks)
    if maps.shape[-2:] != masks.shape[-2:]:
        raise ValueError(
            "`maps` and `masks` must be of one height and width. Received: "
            f"maps.shape={maps.shape}, masks.shape={masks.shape}"
        )
    constant = np.ptp(maps, axis=(-2, -1)) == 0
    hits = np.where(constant, 0.0, share_of_highest(maps, packed(masks)))
    return np.where(masks.any(axis=(-2, -1)), hits, np.nan)


def share_of_highest(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns the share of a map's highest pixels that lie on the object.

    Args:
        maps: float array of shape `(..., height, width)`.
        masks: `packed` masks.
    """
    highest = packed(maps == maps.max(axis=(-2, -1), keepdims=True))
    return _count(highest & masks) / _count(highest)


def precision_at(
    overlaps: np.ndarray, least: float, strict: bool = False
) -> float:
    """Returns the share of the overlaps that reach a value.

    Args:
        overlaps: float array; NaN counts neither way.
        least: float.
        strict: bool. Whether an overlap must be above `least`.

    Returns:
        float in `[0, 1]`, NaN without an overlap.
    """
    overlaps = np.asarray(overlaps, "float64")
    overlaps = overlaps[~np.isnan(overlaps)]
    if not overlaps.size:
        return float("nan")
    return float((overlaps > least if strict else overlaps >= least).mean())


def localization_figures(
    overlaps: np.ndarray, hits: np.ndarray
) -> dict[str, float]:
    """Sums up the overlaps and hits of a split.

    Args:
        overlaps: float array of shape `(samples,)`; see
            `intersection_over_union`.
        hits: float array of shape `(samples,)`; see `pointing_game`.

    Returns:
        dict of floats in `[0, 1]`: `iou`, the mean; `ap20` and `ap30`, the
        shares of at least 0.2 and above 0.3; `pointing_game`.
    """
    return {
        "iou": float(np.nanmean(overlaps)),
        "ap20": precision_at(overlaps, 0.2),
        "ap30": precision_at(overlaps, 0.3, strict=True),
        "pointing_game": float(np.nanmean(hits)),
    }


def check_maps(maps: np.ndarray) -> np.ndarray:
    """Returns maps as an array `(..., height, width)`.

    Raises:
        ValueError: if they have another shape or are not finite.
    """
    maps = np.asarray(maps)
    if maps.ndim < 2 or 0 in maps.shape[-2:]:
        raise ValueError(
            "`maps` must have shape (..., height, width). "
            f"Received: maps.shape={maps.shape}"
        )
    if not np.isfinite(maps).all():
        raise ValueError("`maps` must be finite. Received: NaN or infinity")
    return maps
