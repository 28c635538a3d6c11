"""What the figures ask of their arrays, and how they say that it is not so."""

import numpy as np


def check_features(features: np.ndarray, name: str = "features") -> np.ndarray:
    """Checks features.

    Args:
        features: array of shape `(samples, filters)`, finite; at least one
            sample and one filter.
        name: str. What an error calls them.

    Returns:
        They as an array.

    Raises:
        ValueError: if they are not as described.
    """
    features = np.asarray(features)
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(
            f"`{name}` must have two axes, neither of them empty. "
            f"Received: {name}.shape={features.shape}"
        )
    check_finite(features, name)
    return features


def check_finite(array: np.ndarray, name: str) -> None:
    """Checks that an array is finite; an error calls it `name`.

    Raises:
        ValueError: if it is not.
    """
    broken = np.count_nonzero(~np.isfinite(array))
    if broken:
        raise ValueError(
            f"`{name}` must be finite. Received: {name} with {broken} values "
            "NaN or infinite"
        )


def check_labels(
    labels: np.ndarray, samples: int, num_classes: float | None
) -> np.ndarray:
    """Checks labels.

    Args:
        labels: ints of shape `(samples,)` in `[0, num_classes)`.
        samples: int.
        num_classes: number of classes; `None` where the largest label is that
            of the last class.

    Returns:
        They as an array.

    Raises:
        ValueError: if they are not as described.
    """
    labels = np.asarray(labels)
    if labels.shape != (samples,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be {samples} integers, one per sample. Received: "
            f"labels.shape={labels.shape}, labels.dtype={labels.dtype}"
        )
    limit = labels.max() + 1 if num_classes is None else num_classes
    if labels.min() < 0 or labels.max() >= limit:
        raise ValueError(
            f"`labels` must be in [0, {limit}). Received: labels in "
            f"[{labels.min()}, {labels.max()}]"
        )
    return labels


def check_multi_hot(
    labels: np.ndarray, samples: int, num_classes: int | None
) -> np.ndarray:
    """Checks labels of samples that may have several classes, or none.

    Args:
        labels: zeros and ones of shape `(samples, num_classes)`, of any dtype.
        samples: int.
        num_classes: number of classes; `None` for any.

    Returns:
        They as a bool array.

    Raises:
        ValueError: if they are not as described.
    """
    labels = np.asarray(labels)
    classes = "classes" if num_classes is None else num_classes
    fits = labels.ndim == 2 and len(labels) == samples and labels.shape[1]
    if not fits or num_classes not in (None, labels.shape[1]):
        raise ValueError(
            f"`labels` must have shape ({samples}, {classes}), a 0 or a 1 for "
            f"each class. Received: labels.shape={labels.shape}"
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(
            "`labels` must be 0 or 1 for each class. Received: labels with "
            f"{labels[~np.isin(labels, (0, 1))][0]}"
        )
    return labels.astype(bool)


def check_head(
    kernel: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Checks a classifier head.

    Args:
        kernel: array of shape `(filters, classes)`, finite.
        bias: array of shape `(classes,)`, finite.

    Returns:
        Both as arrays.

    Raises:
        ValueError: if they are not as described.
    """
    kernel, bias = np.asarray(kernel), np.asarray(bias)
    if kernel.ndim != 2 or 0 in kernel.shape:
        raise ValueError(
            "`kernel` must have shape (filters, classes), a row per filter. "
            f"Received: kernel.shape={kernel.shape}"
        )
    if bias.shape != kernel.shape[1:]:
        raise ValueError(
            f"`bias` must have shape ({kernel.shape[1]},), a value per class. "
            f"Received: bias.shape={bias.shape}"
        )
    check_finite(kernel, "kernel")
    check_finite(bias, "bias")
    return kernel, bias


def check_filter_classes(
    filter_classes: np.ndarray, filters: int, num_classes: int | None = None
) -> np.ndarray:
    """Checks the class of each filter.

    Args:
        filter_classes: ints of shape `(filters,)` in `[0, num_classes)`.
        filters: int.
        num_classes: int, or `None` for any number of classes.

    Returns:
        It as an array.

    Raises:
        ValueError: if it is not as described.
    """
    classes = np.asarray(filter_classes)
    limit = np.inf if num_classes is None else num_classes
    whole = np.issubdtype(classes.dtype, np.integer)
    if (
        classes.shape != (filters,)
        or not whole
        or not ((classes >= 0) & (classes < limit)).all()
    ):
        end = "" if num_classes is None else f" and below {num_classes}"
        raise ValueError(
            "`filter_classes` must have the class of each filter, "
            f"{filters} integers of at least 0{end}. Received: "
            f"filter_classes={filter_classes}"
        )
    return classes


def check_gate(
    gate_matrix: np.ndarray, shape: tuple[int, ...] | None = None
) -> np.ndarray:
    """Checks a gate matrix.

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.
        shape: tuple. The shape it must have, if that is known.

    Returns:
        It as an array.

    Raises:
        ValueError: if it is not as described.
    """
    gate_matrix = np.asarray(gate_matrix)
    if gate_matrix.ndim != 2 or 0 in gate_matrix.shape:
        raise ValueError(
            "`gate_matrix` must have shape (classes, filters). "
            f"Received: gate_matrix.shape={gate_matrix.shape}"
        )
    if shape is not None and gate_matrix.shape != tuple(shape):
        raise ValueError(
            f"`gate_matrix` must have shape {tuple(shape)}. "
            f"Received: gate_matrix.shape={gate_matrix.shape}"
        )
    if not ((gate_matrix >= 0) & (gate_matrix <= 1)).all():
        raise ValueError(
            "`gate_matrix` must be in [0, 1]. Received: gate_matrix in "
            f"[{gate_matrix.min()}, {gate_matrix.max()}]"
        )
    return gate_matrix
