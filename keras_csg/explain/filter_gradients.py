import math

import numpy as np
from scipy import ndimage

from keras_csg.engines import engine
from keras_csg.metrics.resizing import one_blas_thread
from keras_csg.models.classifier import CSGClassifier

BLUR = 30 / 128
"""Standard deviation of the Gaussian, in widths of the image."""


class FilterGradients:
    """Differentiates a classifier's features by the pixels.

    Args:
        model: `CSGClassifier`.
    """

    def __init__(self, model: CSGClassifier) -> None:
        self.model = model
        self._norms = engine.weighted_gradients(
            lambda images: model.features(images, training=False),
            model,
            model.backbone.input_shape[1:],
        )

    def maps(self, images: np.ndarray, filters: np.ndarray) -> np.ndarray:
        """Returns what `filter_gradient_maps` does, of one batch."""
        weights = np.eye(self.model.filters, dtype="float32")
        return blur_gradients(self.norms(images, weights[filters]))

    def norms(self, images: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Returns the gradients of weighted sums of the features.

        One forward pass; then one backward pass for each of the n sums, of
        the whole batch at once.

        Args:
            images: array of shape `(samples, height, width, 3)`.
            weights: float array of shape `(samples, n, filters)`.

        Returns:
            float32 array of shape `(samples, n, height, width)`: L2 norms
            over the channels.
        """
        images = np.asarray(images, "float32")
        directions = np.asarray(np.swapaxes(weights, 0, 1), "float32")
        return np.swapaxes(self._norms(images, directions), 0, 1)


def blur_gradients(norms: np.ndarray) -> np.ndarray:
    """Divides maps by their root mean square and blurs them.

    The Gaussian ends one standard deviation from its centre and the border is
    mirrored, both as in the authors' code.

    Args:
        norms: array of shape `(..., height, width)`, at least 0.

    Returns:
        float32 array of the same shape.
    """
    norms = np.asarray(norms, "float32")
    rms = np.sqrt(np.square(norms).mean(axis=(-2, -1), keepdims=True))
    norms = norms / np.where(rms > 0, rms, 1)
    sigma = BLUR * norms.shape[-1]
    rows = _gaussian_weights(norms.shape[-2], sigma)
    columns = _gaussian_weights(norms.shape[-1], sigma)
    with one_blas_thread():
        return np.matmul(rows, np.matmul(norms, columns.T))


def _gaussian_weights(length, sigma):
    """Returns the matrix `(length, length)` that blurs one axis."""
    radius = math.floor(sigma + 0.5)
    return ndimage.gaussian_filter1d(
        np.eye(length, dtype="float32"),
        sigma,
        axis=0,
        mode="mirror",
        radius=radius,
    )
