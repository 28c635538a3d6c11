import numpy as np

from keras_csg.explain.class_filters import (
    candidate_filters,
    top_filters,
)
from keras_csg.explain.feature_maps import (
    classes_to_explain,
    feature_maps,
)
from keras_csg.metrics.resizing import resize_maps
from keras_csg.models.classifier import CSGClassifier

HIGH_SHARE = 0.3
"""Share of a filter's activations over a split that count as high."""


def activation_map(
    model: CSGClassifier,
    images: np.ndarray,
    classes: np.ndarray | None = None,
    *,
    gated: bool = True,
    batch_size: int = 32,
) -> np.ndarray:
    """Shows where the filter most active for a class fires.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        classes: ints of shape `(samples,)`; `None` for those predicted.
        gated: bool. Whether to choose the filter among the class's own, by
            its average over the given images of the class.
        batch_size: int.

    Returns:
        float32 array of shape `(samples, height, width)`. Zero throughout
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
        maps.mean(axis=(1, 2)), classes, candidates, most=1
    )
    filters = chosen[classes, 0]
    own = np.take_along_axis(maps, filters[:, None, None, None], axis=-1)
    own = own[..., 0] * valid[classes, 0, None, None]
    return resize_maps(own, np.shape(images)[1:3])


def activation_thresholds(
    maps: np.ndarray, share: float = HIGH_SHARE
) -> np.ndarray:
    """Returns the value from which each filter's activations are high.

    Args:
        maps: array of shape `(samples, h, w, filters)`: a whole split.
        share: float in `(0, 1]`. Share of a filter's activations, over
            samples and places, that are at least this high.

    Returns:
        float array of shape `(filters,)`.

    Raises:
        ValueError: if `share` is out of its range.

    Reference:
        - [Bau et al., 2017](https://arxiv.org/abs/1704.05796)
    """
    if not 0 < share <= 1:
        raise ValueError(f"`share` must be in (0, 1]. Received: share={share}")
    columns = np.reshape(maps, (-1, np.shape(maps)[-1])).T
    rank = max(1, int(share * columns.shape[1]))
    return np.partition(columns, -rank, axis=1)[:, -rank]
