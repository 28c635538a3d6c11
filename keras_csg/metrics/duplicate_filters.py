import numpy as np

from keras_csg.metrics.checks import check_features

DUPLICATE_FROM = 0.95
"""Correlation from which two filters are duplicates of each other."""
MOST_PAIRS = 100_000
"""Pairs that are listed at most: a network may have thousands of filters that
do the same."""
BLOCK = 4096
"""Samples whose products are summed at a time."""


def filter_correlations(features: np.ndarray) -> np.ndarray:
    """Returns Pearson's correlation of every two filters over the samples.

    In blocks, so that beside the features little more than the result is in
    memory.

    Args:
        features: array of shape `(samples, filters)`, finite.

    Returns:
        float32 array of shape `(filters, filters)` in `[-1, 1]`; zero where a
        filter has the same value for every sample.

    Raises:
        ValueError: if they are not as described.
    """
    features = check_features(features)
    low, high = features.min(axis=0), features.max(axis=0)
    size = np.where(high > low, high - low, 1)
    mean = features.mean(axis=0, dtype="float64")
    products = np.zeros((features.shape[1],) * 2)
    for start in range(0, len(features), BLOCK):
        # Scaled first, so that squares neither overflow nor vanish.
        block = (features[start : start + BLOCK] - mean) / size
        products += block.T @ block
    norm = np.sqrt(np.diag(products)) * (high > low)
    norm[norm == 0] = np.inf
    products /= norm
    products /= norm[:, None]
    return products.clip(-1, 1).astype("float32")


def duplicate_filters(
    features: np.ndarray, threshold: float = DUPLICATE_FROM
) -> list[tuple[int, int, float]]:
    """Returns the pairs of filters that do the same.

    Args:
        features: array of shape `(samples, filters)`, finite.
        threshold: float. Correlation over the samples from which two do.

    Returns:
        list of `(filter, other, correlation)`, `filter < other`, from the
        largest correlation down; of more than `MOST_PAIRS` the first.

    Raises:
        ValueError: if the features are not as described.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import duplicate_filters
        >>> features = np.array([[0, 1, 5], [1, 3, 5], [0, 1, 5], [3, 7, 5]])
        >>> duplicate_filters(features)  # The second is 2 a + 1 of the first.
        [(0, 1, 1.0)]
    """
    correlations = filter_correlations(features)
    first, second = np.nonzero(np.triu(correlations >= threshold, k=1))
    values = correlations[first, second]
    order = np.argsort(-values, kind="stable")[:MOST_PAIRS]
    return [(int(first[n]), int(second[n]), float(values[n])) for n in order]
