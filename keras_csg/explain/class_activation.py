import numpy as np

from keras_csg.explain.class_filters import (
    class_weights,
)
from keras_csg.explain.feature_maps import (
    classes_to_explain,
    feature_maps,
)
from keras_csg.metrics.resizing import resize_maps
from keras_csg.models.classifier import CSGClassifier


def class_activation_map(
    model: CSGClassifier,
    images: np.ndarray,
    classes: np.ndarray | None = None,
    *,
    gated: bool = True,
    batch_size: int = 32,
) -> np.ndarray:
    """Shows where the evidence for a class lies: CAM.

    The filters' maps, weighted by the class's row of the head, resized to the
    image. Their average is the class's logit, less its bias.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        classes: ints of shape `(samples,)`; `None` for those predicted.
        gated: bool. Whether the class's own filters alone count: the weights
            are `W * G`. `False` for all, `W`.
        batch_size: int.

    Returns:
        float32 array of shape `(samples, height, width)`, of any sign.

    Raises:
        ValueError: if an argument is not as described, or `gated` is asked of
            a model without a gate.

    Reference:
        - [Zhou et al., 2016](https://arxiv.org/abs/1512.04150)
        - with the gate: [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
    """
    weights = class_weights(model, gated)
    maps = feature_maps(model, images, batch_size)
    classes = classes_to_explain(model, maps, classes)
    return resize_maps(
        weighted_maps(maps, weights[classes]), np.shape(images)[1:3]
    )


def weighted_maps(maps: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums each sample's maps over its filters.

    Args:
        maps: array of shape `(samples, h, w, filters)`.
        weights: array of shape `(samples, filters)`.

    Returns:
        array of shape `(samples, h, w)`.
    """
    return np.matmul(maps, weights[:, None, :, None])[..., 0]
