import dataclasses

import numpy as np

from keras_csg.metrics.checks import (
    check_features,
    check_gate,
    check_head,
    check_labels,
    check_multi_hot,
)

BLOCK = 4096
"""Samples whose features are multiplied by rows of the gate at a time."""


@dataclasses.dataclass(frozen=True, eq=False)
class Head:
    """What turns features into logits: the classifier's head and its gate.

    It is checked when it is made, and its arrays are copies that cannot be
    written to. So its methods check nothing more: they take features and
    labels as `check_samples` returns them.

    Attributes:
        kernel: array of shape `(filters, classes)`, finite.
        bias: array of shape `(classes,)`, finite.
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`; `None`
            for a classifier without a gate.

    Raises:
        ValueError: if an array is not as described, or a method that needs a
            gate is called without one.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import Head
        >>> head = Head(
        ...     kernel=np.array([[2.0, 1.0], [0.0, 1.0]]),
        ...     bias=np.zeros(2),
        ...     gate_matrix=np.eye(2),
        ... )
        >>> features = np.array([[1.0, 3.0]])
        >>> head.logits(features)
        array([[2., 4.]])
        >>> head.class_specific_logits(features)
        array([[2., 3.]])
        >>> head.gated_logits(features, np.array([0]))
        array([[2., 1.]])

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
    """

    kernel: np.ndarray
    bias: np.ndarray
    gate_matrix: np.ndarray | None = None

    def __post_init__(self) -> None:
        kernel, bias = check_head(self.kernel, self.bias)
        arrays = {"kernel": kernel, "bias": bias}
        if self.gate_matrix is not None:
            shape = kernel.shape[::-1]
            arrays["gate_matrix"] = check_gate(self.gate_matrix, shape)
        for name, array in arrays.items():
            own = np.array(array)
            own.flags.writeable = False
            object.__setattr__(self, name, own)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.kernel.shape[1]

    @property
    def filters(self) -> int:
        """Number of filters."""
        return self.kernel.shape[0]

    def require_gate(self) -> np.ndarray:
        """Returns the gate matrix, and raises `ValueError` without one."""
        if self.gate_matrix is None:
            raise ValueError(
                "The head must have a gate for this. Received: gate_matrix=None"
            )
        return self.gate_matrix

    def classes_of_filters(self) -> np.ndarray:
        """Returns the class of each filter.

        That of its largest entry in the gate; of several, as in a gate that is
        still open, or without a gate, that of its largest weight.

        Returns:
            int array of shape `(filters,)`.
        """
        weights = self.kernel.T
        if self.gate_matrix is not None:
            largest = self.gate_matrix == self.gate_matrix.max(axis=0)
            weights = np.where(largest, weights, -np.inf)
        return weights.argmax(axis=0)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Returns the standard path's logits, `W a + b`.

        Args:
            features: array of shape `(samples, filters)`.

        Returns:
            array of shape `(samples, classes)`.
        """
        return features @ self.kernel + self.bias

    def class_specific_logits(
        self, features: np.ndarray, rows: np.ndarray | None = None
    ) -> np.ndarray:
        """Returns the class-specific path's logits, `(W * G) a + b`.

        Args:
            features: array of shape `(samples, filters)`.
            rows: ints of shape `(classes,)`: the gate row that each class
                gets; `None` for its own.

        Returns:
            array of shape `(samples, classes)`.
        """
        gate_matrix = self.require_gate()
        if rows is not None:
            gate_matrix = gate_matrix[rows]
        return features @ (self.kernel * gate_matrix.T) + self.bias

    def gated_logits(
        self, features: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Returns the gated path's logits, `W (G[row] * a) + b`.

        Args:
            features: array of shape `(samples, filters)`.
            rows: ints of shape `(samples,)`: the gate row of each sample; or
                bools `(samples, classes)`, of which a sample gets the union.

        Returns:
            array of shape `(samples, classes)`.
        """
        return self._through(features, rows)

    def complement_logits(
        self, features: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Returns the logits of what a class's row leaves, `W ((1 - G) a) + b`.

        A filter that is partly open to the class is partly taken away.

        Args:
            features: array of shape `(samples, filters)`.
            rows: see `gated_logits`.

        Returns:
            array of shape `(samples, classes)`.
        """
        return self._through(features, rows, complement=True)

    def predicted(self, features: np.ndarray) -> np.ndarray:
        """Returns the standard path's classes.

        Args:
            features: array of shape `(samples, filters)`.

        Returns:
            int array of shape `(samples,)`.
        """
        return self.logits(features).argmax(axis=-1)

    def _through(self, features, rows, complement=False):
        """Returns logits through rows, without a second copy of all samples."""
        matrix = self.require_gate()
        logits = np.empty(
            (len(features), self.num_classes),
            np.result_type(features, self.kernel, matrix),
        )
        for start in range(0, len(features), BLOCK):
            block = slice(start, start + BLOCK)
            opened = _opened(matrix, rows[block])
            opened = 1 - opened if complement else opened
            logits[block] = self.logits(features[block] * opened)
        return logits


def _opened(matrix, rows):
    """Returns the gate row of each sample, or the union of several."""
    if rows.ndim == 1:
        return matrix[rows]
    return np.minimum(rows.astype(matrix.dtype) @ matrix, 1)


def check_samples(
    features: np.ndarray,
    labels: np.ndarray,
    head: Head,
    multi_hot: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Checks the features and labels of a split against a head.

    Args:
        features: array of shape `(samples, filters)`, finite; at least one
            sample.
        labels: ints of shape `(samples,)` in `[0, classes)`. A class may be
            missing. With `multi_hot` zeros and ones `(samples, classes)`.
        head: `Head`.
        multi_hot: bool. Whether a sample may have several classes.

    Returns:
        Features and labels as arrays.

    Raises:
        ValueError: if they are not as described.
    """
    features = check_features(features)
    if features.shape[1] != head.filters:
        raise ValueError(
            f"`features` must have shape (samples, {head.filters}), a column "
            f"per filter of the head. Received: features.shape={features.shape}"
        )
    check = check_multi_hot if multi_hot else check_labels
    return features, check(labels, len(features), head.num_classes)
