"""How alike two sets of maps are."""

import numpy as np
from scipy import ndimage, stats

WINDOW = 7


def rank_correlation(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns Spearman's rank correlation of each map with its counterpart.

    Args:
        maps: array of shape `(samples, height, width)`.
        others: array of the same shape.

    Returns:
        float array of shape `(samples,)`, in `[-1, 1]`; 0 where one of the
        two is constant, as it then orders nothing, and 1 where both are.
    """
    ranks = [
        stats.rankdata(np.reshape(array, (len(array), -1)), axis=1)
        for array in (maps, others)
    ]
    a, b = (array - array.mean(axis=1, keepdims=True) for array in ranks)
    norms = np.linalg.norm([a, b], axis=2)
    product = norms.prod(axis=0)
    cosines = np.einsum("sp,sp->s", a, b) / np.where(product > 0, product, 1)
    return np.where(norms.max(axis=0) > 0, cosines, 1.0)


def structural_similarity(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the SSIM of each map and its counterpart, scaled to `[0, 1]`.

    Over windows of 7 x 7 pixels, fewer in smaller maps.

    Args:
        maps: array of shape `(samples, height, width)`.
        others: array of the same shape.

    Returns:
        float array of shape `(samples,)`, in `[-1, 1]`; 1 for equal maps. A
        constant map counts as one of zeros.

    Reference:
        - [Wang et al., 2004](https://doi.org/10.1109/TIP.2003.819861)
    """
    a, b = _to_unit_range(maps), _to_unit_range(others)
    mean_a, mean_b = _local_mean(a), _local_mean(b)
    var_a = _local_mean(a * a) - mean_a**2
    var_b = _local_mean(b * b) - mean_b**2
    covariance = _local_mean(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    numerator = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    denominator = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return (numerator / denominator).mean(axis=(1, 2))


def _to_unit_range(maps):
    maps = np.asarray(maps, "float64")
    maps = maps - maps.min(axis=(1, 2), keepdims=True)
    top = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(top > 0, top, 1)


def _local_mean(maps):
    size = (1, min(WINDOW, maps.shape[1]), min(WINDOW, maps.shape[2]))
    return ndimage.uniform_filter(maps, size)
