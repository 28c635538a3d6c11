"""What every map starts from: the filters' maps, and the classes asked for."""

import warnings

import numpy as np
from keras import ops

from keras_csg.models.classifier import CSGClassifier


def feature_maps(
    model: CSGClassifier, images: np.ndarray, batch_size: int = 32
) -> np.ndarray:
    """Runs the backbone.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        batch_size: int.

    Returns:
        float32 array of shape `(samples, h, w, filters)`.

    Raises:
        ValueError: if the images are not as described.
    """
    images = check_rgb(images)
    return np.concatenate(
        [
            np.asarray(model.backbone.predict_on_batch(batch), "float32")
            for batch in in_batches(images, batch_size)
        ]
    )


def in_batches(array: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Returns the parts of an array, `batch_size` samples each."""
    return [
        array[start : start + batch_size]
        for start in range(0, len(array), batch_size)
    ]


def check_rgb(images: np.ndarray) -> np.ndarray:
    """Checks that images have three axes and three channels.

    Args:
        images: array of shape `(samples, height, width, 3)`, none of them
            empty.

    Returns:
        They as an array.

    Raises:
        ValueError: if they have another shape.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
        raise ValueError(
            "`images` must have shape (samples, height, width, 3), with at "
            f"least one sample. Received: images.shape={images.shape}"
        )
    return images


def check_levels(images: np.ndarray) -> None:
    """Refuses pixels that are not in 0..255, and warns of images in 0..1.

    Args:
        images: array of shape `(samples, height, width, 3)`.

    Raises:
        ValueError: if a pixel is out of that range, or NaN.
    """
    least, most = float(images.min()), float(images.max())
    if not 0 <= least <= most <= 255:  # NaN is neither.
        raise ValueError(
            "`images` must be RGB in 0..255. "
            f"Received: images from {least:g} to {most:g}"
        )
    if images.dtype.kind == "f" and 0 < most <= 1:
        warnings.warn(
            f"The largest value of the images is {most:g}: they must be in "
            "0..255, not in 0..1.",
            stacklevel=2,
        )


def classes_to_explain(
    model: CSGClassifier, maps: np.ndarray, classes: np.ndarray | None = None
) -> np.ndarray:
    """Returns the classes whose maps are asked for.

    Args:
        model: `CSGClassifier`.
        maps: array of shape `(samples, h, w, filters)`.
        classes: ints of shape `(samples,)`; `None` for those predicted.

    Returns:
        int array of shape `(samples,)`.

    Raises:
        ValueError: if the classes are not as described.
    """
    if classes is None:
        features = maps.mean(axis=(1, 2))
        return ops.convert_to_numpy(model.head(features)).argmax(axis=-1)
    classes = np.asarray(classes)
    if classes.shape != (len(maps),) or classes.dtype.kind not in "iu":
        raise ValueError(
            f"`classes` must be {len(maps)} integers, one per image. Received: "
            f"classes.shape={classes.shape}, classes.dtype={classes.dtype}"
        )
    if classes.min() < 0 or classes.max() >= model.num_classes:
        raise ValueError(
            f"`classes` must be in [0, {model.num_classes}). Received: classes "
            f"in [{classes.min()}, {classes.max()}]"
        )
    return classes
