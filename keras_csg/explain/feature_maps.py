"""What every map starts from: filters' maps, classes, and gate rows."""

import numpy as np
from keras import ops


def feature_maps(model, images, batch_size=32):
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
    images = check_images(images)
    return np.concatenate(
        [
            np.asarray(model.backbone.predict_on_batch(batch), "float32")
            for batch in in_batches(images, batch_size)
        ]
    )


def in_batches(array, batch_size):
    """Returns the parts of an array, `batch_size` samples each."""
    return [
        array[start : start + batch_size]
        for start in range(0, len(array), batch_size)
    ]


def check_images(images):
    """Returns the images as an array `(samples, height, width, 3)`."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
        raise ValueError(
            "`images` must have shape (samples, height, width, 3), with at "
            f"least one sample. Received: images.shape={images.shape}"
        )
    return images


def classes_to_explain(model, maps, classes=None):
    """Returns the classes whose maps are asked for.

    Args:
        model: `CSGClassifier`.
        maps: array of shape `(samples, h, w, filters)`.
        classes: ints of shape `(samples,)`; `None` for those predicted.

    Returns:
        int array of shape `(samples,)`.
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
