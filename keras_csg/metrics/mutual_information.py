from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from keras_csg.metrics._information import has_two_groups, one_against_rest
from keras_csg.metrics.checks import check_labels


def mutual_information(
    features: np.ndarray,
    labels: np.ndarray,
    num_classes: int | None = None,
    n_neighbors: int = 3,
    random_state: int | None = 0,
    n_jobs: int = 1,
) -> np.ndarray:
    """Information each filter gives about each class against the rest.

    Ross's estimate of `I(a_k; 1[y = c])` from the k nearest neighbors. Row `c`
    is what scikit-learn computes in
    `mutual_info_classif(features, labels == c, discrete_features=False,
    n_neighbors=n_neighbors, random_state=random_state)`, to rounding, but for
    two cases. Where a class or its complement has `2 * n_neighbors + 1`
    samples or fewer, scikit-learn's distances have rounding errors, and ours
    have none. A class with fewer than two samples, or outside which there are
    fewer than two, has a row of zeros.

    Ties, such as the zeros after a ReLU, are broken as there: each filter is
    divided by its standard deviation, then noise of 1e-10 times the larger of
    1 and its mean absolute value is added, drawn once for all classes.

    Time grows with `samples * filters`, hardly with the number of classes.

    Args:
        features: Array of shape `(samples, filters)`, finite: an activation
            per filter, such as its global average. The paper pools after the
            ReLU; PICNN sums each map before it.
        labels: Int array of shape `(samples,)`, in `[0, num_classes)`.
        num_classes: Optional int. By default the largest label and one.
        n_neighbors: int, at least 1. In a group of samples that has no more
            than these, each takes all the others.
        random_state: Optional int. Seed of the noise; `None` for another
            noise at each call.
        n_jobs: int. Number of threads, which share out the filters. The
            result does not depend on it.

    Returns:
        Float64 array of shape `(num_classes, filters)`, in nats, at least 0.

    Raises:
        ValueError: If an argument is not as described.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import mutual_information
        >>> labels = np.arange(60) % 3
        >>> features = np.eye(3)[labels][:, [2, 0]]  # Two filters, one class.
        >>> information = mutual_information(features, labels)
        >>> information.shape
        (3, 2)
        >>> information.argmax(axis=0)  # The class each filter knows best.
        array([2, 0])

    Reference:
        - [Ross, 2014](https://doi.org/10.1371/journal.pone.0087357)
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
        - [Guang et al., 2023](https://arxiv.org/abs/2312.12068)
    """
    columns = _noisy_columns(features, "features", random_state)
    labels = check_labels(labels, columns.shape[1], num_classes)
    labels = labels.astype(np.intp)
    num_classes = num_classes or labels.max() + 1
    _check_neighbors(n_neighbors)
    # NumPy sorts 16-bit integers in linear time.
    labels = labels.astype("int16" if num_classes < 2**15 else "int32")

    def of_filter(column):
        return one_against_rest(column, labels, num_classes, n_neighbors)

    return np.stack(_map(of_filter, columns, n_jobs), axis=1)


def mutual_information_score(
    features: np.ndarray, labels: np.ndarray, **kwargs: Any
) -> float:
    """Mutual Information Score (MIS) of Liang et al.: higher is more specific.

    Args:
        features: Array of shape `(samples, filters)`.
        labels: Int array of shape `(samples,)`.
        **kwargs: Further arguments of `mutual_information`.

    Returns:
        float. Mean over the filters of the information about their best
        class, in nats.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    return float(mutual_information(features, labels, **kwargs).max(0).mean())


def specificity(
    features: np.ndarray,
    probabilities: np.ndarray,
    labels: np.ndarray,
    n_neighbors: int = 3,
    random_state: int | None = 0,
    n_jobs: int = 1,
) -> float:
    """What a filter knows of its best class, relative to the whole network.

    The MIS divided by the mean over the classes `c` of `I(p_c; 1[y = c])`, the
    diagonal of `mutual_information(probabilities, labels)`, of which the rest
    is not computed. Classes with fewer than two samples are left out of that
    mean.

    Args:
        features: Array of shape `(samples, filters)`.
        probabilities: Array of shape `(samples, num_classes)`. The network's.
        labels: Int array of shape `(samples,)`.
        n_neighbors: As in `mutual_information`.
        random_state: As in `mutual_information`.
        n_jobs: As in `mutual_information`.

    Returns:
        float, at least 0; `nan` if the network knows nothing of any class.
    """
    columns = _noisy_columns(probabilities, "probabilities", random_state)
    num_classes = columns.shape[0]
    labels = check_labels(labels, columns.shape[1], num_classes)
    labels = labels.astype(np.intp)
    options = {"n_neighbors": n_neighbors, "random_state": random_state}
    score = mutual_information_score(
        features, labels, num_classes=num_classes, n_jobs=n_jobs, **options
    )

    def of_class(label):
        is_class = (labels == label).astype("int16")
        return one_against_rest(columns[label], is_class, 2, n_neighbors)[1]

    sizes = np.bincount(labels, minlength=num_classes)
    usable = np.flatnonzero(has_two_groups(sizes))
    known = np.sum(_map(of_class, usable, n_jobs))
    return float(score * usable.size / known) if known > 0 else float("nan")


def _map(function, items, n_jobs):
    if n_jobs == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(n_jobs) as pool:
        return list(pool.map(function, items))


def _noisy_columns(features, name, random_state):
    """Scaled features with scikit-learn's noise: `(filters, samples)`."""
    columns = np.array(np.transpose(features), dtype="float64", order="C")
    if columns.ndim != 2 or 0 in columns.shape:
        raise ValueError(
            f"`{name}` must have shape (samples, filters), at least one of "
            f"each. Received: {name} of shape {np.shape(features)}"
        )
    if not np.isfinite(columns).all():
        raise ValueError(
            f"`{name}` must be finite. Received: {name} with "
            f"{np.count_nonzero(~np.isfinite(columns))} values NaN or infinite"
        )
    scale = np.std(columns, axis=1, keepdims=True)
    scale[scale < 10 * np.finfo("float64").eps] = 1  # Constant features.
    columns /= scale
    size = 1e-10 * np.maximum(1, np.mean(np.abs(columns), axis=1))
    random = np.random.RandomState(random_state)
    for start in range(0, columns.shape[1], 1024):
        part = columns[:, start : start + 1024]
        part += (size * random.standard_normal(part.shape[::-1])).T
    return columns


def _check_neighbors(n_neighbors):
    if not isinstance(n_neighbors, (int, np.integer)) or n_neighbors < 1:
        raise ValueError(
            "`n_neighbors` must be an integer of at least 1. "
            f"Received: n_neighbors={n_neighbors}"
        )
