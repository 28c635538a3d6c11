import functools

import numpy as np

from keras_csg.explain.class_filters import (
    GRADIENT_MAP_FILTERS,
    candidate_filters,
    top_filters,
)
from keras_csg.explain.feature_maps import (
    check_rgb,
    classes_to_explain,
    feature_maps,
    in_batches,
)
from keras_csg.explain.filter_gradients import FilterGradients
from keras_csg.models.classifier import CSGClassifier


def gradient_map(
    model: CSGClassifier,
    images: np.ndarray,
    classes: np.ndarray | None = None,
    *,
    gated: bool = True,
    filters: int = GRADIENT_MAP_FILTERS,
    batch_size: int = 8,
) -> np.ndarray:
    """Shows which pixels change the filters of a class most.

    The mean of what `filter_gradient_maps` gives for the class's filters,
    those most active on average over the given images of the class.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        classes: ints of shape `(samples,)`; `None` for those predicted.
        gated: bool. Whether to choose among the class's own filters.
        filters: int. Number of filters of a class.
        batch_size: int.

    Returns:
        float32 array of shape `(samples, height, width)`, at least 0, in units
        of the root mean square over the image: where the gradients are equally
        large everywhere the map is 1. Zero throughout where a class has no
        filter of its own.

    Raises:
        ValueError: if an argument is not as described, or `gated` is asked of
            a model without a gate.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    candidates = candidate_filters(model, gated)
    maps = feature_maps(model, images, batch_size)
    classes = classes_to_explain(model, maps, classes)
    chosen, valid = top_filters(
        maps.mean(axis=(1, 2)), classes, candidates, filters
    )
    gradients = _gradients_of(model)
    counts = np.maximum(valid.sum(axis=1), 1)
    shares = (valid / counts[:, None]).astype("float32")
    return np.concatenate(
        [
            np.einsum(
                "sfhw,sf->shw",
                gradients.maps(batch, chosen[labels]),
                shares[labels],
            )
            for batch, labels in zip(
                in_batches(images, batch_size),
                in_batches(classes, batch_size),
                strict=True,
            )
        ]
    )


def filter_gradient_maps(
    model: CSGClassifier,
    images: np.ndarray,
    filters: np.ndarray,
    *,
    batch_size: int = 8,
) -> np.ndarray:
    """Shows which pixels change given filters most.

    The gradient of a filter's global average by the pixels; its L2 norm over
    the channels; divided by the root of its mean square over the image;
    blurred by a Gaussian of `BLUR`.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        filters: ints of shape `(samples, n)`: n filters of each sample.
        batch_size: int.

    Returns:
        float32 array of shape `(samples, n, height, width)`, at least 0. All
        zero for a filter whose gradient is zero.

    Raises:
        ValueError: if the images are not as described.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    gradients = _gradients_of(model)
    return np.concatenate(
        [
            gradients.maps(batch, numbers)
            for batch, numbers in zip(
                in_batches(check_rgb(images), batch_size),
                in_batches(np.asarray(filters), batch_size),
                strict=True,
            )
        ]
    )


# Tracing takes seconds, and a model is explained more than once. The cache
# keeps one model alive at most.
@functools.lru_cache(maxsize=1)
def _gradients_of(model):
    return FilterGradients(model)
