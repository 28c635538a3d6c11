import functools

import numpy as np

from keras_csg.explain.class_filters import (
    MOST_FILTERS,
    candidate_filters,
    top_filters,
)
from keras_csg.explain.feature_maps import (
    check_images,
    classes_to_explain,
    feature_maps,
    in_batches,
)
from keras_csg.explain.filter_gradients import FilterGradients


def gradient_map(
    model,
    images,
    classes=None,
    *,
    gated=True,
    filters=MOST_FILTERS,
    batch_size=8,
):
    """Shows which pixels move the filters of a class.

    The mean of what `filter_gradient_maps` gives for the class's filters,
    those most active on average over the given images of the class.

    Args:
        model: `CSGClassifier`, on TensorFlow.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        classes: ints of shape `(samples,)`; `None` for those predicted.
        gated: bool. Whether to choose among the class's own filters.
        filters: int. Number of filters of a class.
        batch_size: int.

    Returns:
        float32 array of shape `(samples, height, width)`, at least 0; about 1
        is what a pixel has that is neither here nor there. Zero throughout
        where a class has no filter of its own.

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


def filter_gradient_maps(model, images, filters, *, batch_size=8):
    """Shows which pixels move given filters.

    The gradient of a filter's global average by the pixels; its L2 norm over
    the channels; divided by the root of its mean square over the image;
    blurred by a Gaussian of `BLUR`.

    Args:
        model: `CSGClassifier`, on TensorFlow.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        filters: ints of shape `(samples, n)`: n filters of each sample.
        batch_size: int.

    Returns:
        float32 array of shape `(samples, n, height, width)`, at least 0. All
        zero for a filter that no pixel moves.

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
                in_batches(check_images(images), batch_size),
                in_batches(np.asarray(filters), batch_size),
                strict=True,
            )
        ]
    )


# Tracing takes seconds, and whoever looks at a model looks more than once. It
# keeps one model alive at most.
@functools.lru_cache(maxsize=1)
def _gradients_of(model):
    return FilterGradients(model)
