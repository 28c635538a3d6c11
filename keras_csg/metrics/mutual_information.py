from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy.special import entr

from keras_csg.metrics._information import one_against_rest
from keras_csg.metrics.checks import (
    check_features,
    check_filter_classes,
    check_labels,
    check_multi_hot,
)


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

    Time grows with `samples * filters`, hardly with the number of classes; of
    samples with several classes it grows with that, too.

    Args:
        features: Array of shape `(samples, filters)`, finite: an activation
            per filter, such as its global average. The paper pools after the
            ReLU; PICNN sums each map before it.
        labels: Int array of shape `(samples,)`, in `[0, num_classes)`; or
            zeros and ones of shape `(samples, num_classes)`, of samples that
            may have several classes.
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
    columns = _noisy_columns(features, random_state)
    _check_neighbors(n_neighbors)
    of_filter = _estimate(labels, columns.shape[1], num_classes, n_neighbors)
    return np.stack(_map(of_filter, columns, n_jobs), axis=1)


def _estimate(labels, samples, num_classes, n_neighbors):
    """Returns what estimates a filter's information about each class."""
    if _of_several(labels):
        has = check_multi_hot(labels, samples, num_classes).astype("int16")
        return lambda column: np.array(
            [one_against_rest(column, own, 2, n_neighbors)[1] for own in has.T]
        )
    labels = check_labels(labels, samples, num_classes).astype(np.intp)
    num_classes = num_classes or labels.max() + 1
    # NumPy sorts 16-bit integers in linear time.
    labels = labels.astype("int16" if num_classes < 2**15 else "int32")
    return lambda column: one_against_rest(
        column, labels, num_classes, n_neighbors
    )


def mutual_information_score(
    features: np.ndarray, labels: np.ndarray, **kwargs: Any
) -> float:
    """Mutual Information Score (MIS) of Liang et al.: higher is more specific.

    Args:
        features: Array of shape `(samples, filters)`.
        labels: As `mutual_information` takes them.
        **kwargs: Further arguments of `mutual_information`.

    Returns:
        float. Mean over the filters of the information about their best
        class, in nats.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    return float(mutual_information(features, labels, **kwargs).max(0).mean())


def specificity(
    information: np.ndarray, labels: np.ndarray, filter_classes: np.ndarray
) -> float:
    """What filters know of their classes, as a share of all there is to know.

    The mean over the filters of `I(a_k; 1[y = c]) / H(1[y = c])`, where `c` is
    the filter's class: the uncertainty coefficient (Theil's U). What bounds it
    is of the labels alone, so networks of any accuracy compare on one split.

    It is 1 where each filter tells its class without fail, and 0 where filters
    know nothing of it, whatever they know of others. Filters know something
    before any training: a random ResNet-20 has 0.08 on the digits. Estimates
    beyond the bound count as 1; a filter whose class has no sample, or all, is
    left out.

    Args:
        information: array of shape `(classes, filters)`, in nats: what
            `mutual_information` returned.
        labels: ints of shape `(samples,)` in `[0, classes)`, or zeros and ones
            of shape `(samples, classes)`.
        filter_classes: ints of shape `(filters,)` in `[0, classes)`: the class
            of each filter, such as `Head.classes_of_filters` tells.

    Returns:
        float in `[0, 1]`; NaN if every filter is left out.

    Raises:
        ValueError: if an argument is not as described.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import specificity
        >>> labels = np.arange(60) % 2
        >>> specificity(np.log(2) * np.eye(2), labels, np.array([0, 1]))
        1.0
        >>> specificity(np.log(2) * np.eye(2), labels, np.array([1, 0]))
        0.0
    """
    information = check_features(information, "information")
    num_classes, filters = information.shape
    classes = check_filter_classes(filter_classes, filters, num_classes)
    if _of_several(labels):
        shares = check_multi_hot(labels, len(labels), num_classes).mean(axis=0)
    else:
        labels = check_labels(labels, len(labels), num_classes)
        shares = np.bincount(labels, minlength=num_classes) / len(labels)
    entropies = (entr(shares) + entr(1 - shares))[classes]
    own = information[classes, np.arange(filters)]
    told = own[entropies > 0] / entropies[entropies > 0]
    return float(told.clip(0, 1).mean()) if told.size else float("nan")


def _of_several(labels):
    """Whether they are zeros and ones for each class, not its number."""
    return np.ndim(labels) == 2 and np.shape(labels)[1] > 1


def _map(function, items, n_jobs):
    if n_jobs == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(n_jobs) as pool:
        return list(pool.map(function, items))


def _noisy_columns(features, random_state):
    """Scaled features with scikit-learn's noise: `(filters, samples)`."""
    columns = np.array(np.transpose(features), dtype="float64", order="C")
    if columns.ndim != 2 or 0 in columns.shape:
        raise ValueError(
            "`features` must have shape (samples, filters), at least one of "
            f"each. Received: features of shape {np.shape(features)}"
        )
    if not np.isfinite(columns).all():
        raise ValueError(
            "`features` must be finite. Received: features with "
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
