"""One pass of a backbone over images: features, and what fires each filter."""

from collections.abc import Callable, Iterable, Sized
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_csg.arguments import whole_number
from keras_csg.evaluation.features import SplitFeatures, check_finite
from keras_csg.evaluation.top_images import TopImages
from keras_csg.models.classifier import CSGClassifier


class FilterLook(NamedTuple):
    """What one pass over images leaves of them.

    Attributes:
        samples: `SplitFeatures` of all images.
        top: `TopImages` of each filter.
    """

    samples: SplitFeatures
    top: TopImages


def look_at_filters(
    model: CSGClassifier,
    batches: Iterable[tuple[Any, Any]],
    *,
    images_per_filter: int = 9,
    track: Callable[[Any, str], Any] = lambda batches, text: batches,
) -> FilterLook:
    """Runs the backbone over images, for `survey_of` and whoever wants more.

    Args:
        model: `CSGClassifier`.
        batches: iterable of image batches and their labels; see
            `survey_filters`.
        images_per_filter: int, at least 1.
        track: callable from batches and a text to the batches.

    Returns:
        `FilterLook`.

    Raises:
        ValueError: if there is no image, the network gives values that are
            not finite, or `images_per_filter` is not as described.
    """
    most = whole_number("images_per_filter", images_per_filter, 1)
    top = TopImages(model.filters, most)
    features, labels = _pass(model, batches, top, track)
    return FilterLook(SplitFeatures(features, labels), top)


def _pass(model, batches, top, track):
    """Runs the backbone; returns features and labels of all images."""
    maps = model.backbone.output
    extractor = keras.Model(
        model.backbone.input, {"maps": maps, "features": model.pooling(maps)}
    )
    steps = len(batches) if isinstance(batches, Sized) else 1
    features, labels = None, []
    for images, batch_labels in track(batches, "Looking at filters"):
        images = ops.convert_to_numpy(images)
        output = extractor.predict_on_batch(images)
        some = np.asarray(output["features"], "float32")
        check_finite([some])
        if features is None:  # No later batch is larger.
            features = np.empty((steps * len(some), some.shape[1]), "float32")
        stop = top.count + len(some)
        features = _with_room(features, stop)
        features[top.count : stop] = some
        labels.append(ops.convert_to_numpy(batch_labels))
        top.add(some, np.asarray(output["maps"]), images)
    if features is None:
        raise ValueError(
            "`batches` must hold a batch of images. Received: no batch"
        )
    return features[: top.count], np.concatenate(labels)


def _with_room(features, count):
    if count <= len(features):
        return features
    larger = np.empty((2 * count, features.shape[1]), features.dtype)
    larger[: len(features)] = features
    return larger
