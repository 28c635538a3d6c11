"""What each filter fires for, what it knows, and what hangs on it."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Sized
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_csg.metrics as metrics
from keras_csg.arguments import whole_number
from keras_csg.evaluation.features import check_finite, head_of
from keras_csg.evaluation.top_images import NONE, TopImages
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier

INFORMATION_BYTES = 2**28
"""Of the copy of features that the mutual information works on, at most."""


@dataclasses.dataclass(frozen=True, eq=False)
class FilterSurvey:
    """The filters of a classifier over a split.

    `C` classes, `K` filters, `n` images of each filter, maps of `h` times `w`,
    thumbnails of side `s`.

    Attributes:
        class_names: list of str.
        filter_names: dict from a filter's number to a person's name for it.
        samples: int. Images of the split.
        gate_matrix: float32 array of shape `(C, K)`; `None` without a gate.
        filter_classes: ints of shape `(K,)`: the class of each filter, see
            `Head.classes_of_filters`.
        information: float32 array of shape `(C, K)`: mutual information of
            filter and class, in nats.
        purity: array of shape `(K,)` in `[0, 1]`: share of a filter's top
            images that have its class; NaN where it has none.
        class_means: float32 array of shape `(C, K)`: mean activation over the
            images of each class; NaN of a class without images.
        recall: array of shape `(C,)` in `[0, 1]`; NaN of a class without.
        recall_without: array of shape `(K,)`: recall of the filter's class
            when this filter is set to zero.
        recall_without_all: array of shape `(C,)`: recall of a class when all
            of its filters are.
        duplicates: list of `(filter, other, correlation)`, see
            `keras_csg.metrics.duplicate_filters`.
        shared: bools of shape `(K,)`: open to several classes; none without a
            gate.
        dead: bools of shape `(K,)`: the same activation for every image.
        top_samples: ints of shape `(K, n)`: numbers in the split of the images
            with the largest activation, from the largest down; -1 where there
            is none. An image in which a filter is silent is none.
        top_values: float32 array of shape `(K, n)`: their activations, the
            averages of the maps; NaN where there is no image.
        top_labels: ints of shape `(K, n)`: their classes; of several the
            filter's, or else the first. -1 for none.
        top_maps: float32 array of shape `(K, n, h, w)`.
        thresholds: float32 array of shape `(K,)`: from where on the filter's
            map counts as high, see `high_activation`; infinite for dead ones.
        thumbnails: uint8 array of shape `(m, s, s, 3)`, each image once.
        thumbnail_of: dict from an image's number to its row there.
    """

    class_names: list[str]
    filter_names: dict[int, str]
    samples: int
    gate_matrix: np.ndarray | None
    filter_classes: np.ndarray
    information: np.ndarray
    purity: np.ndarray
    class_means: np.ndarray
    recall: np.ndarray
    recall_without: np.ndarray
    recall_without_all: np.ndarray
    duplicates: list[tuple[int, int, float]]
    shared: np.ndarray
    dead: np.ndarray
    top_samples: np.ndarray
    top_values: np.ndarray
    top_labels: np.ndarray
    top_maps: np.ndarray
    thresholds: np.ndarray
    thumbnails: np.ndarray
    thumbnail_of: dict[int, int]

    @property
    def filters(self) -> int:
        """Number of filters."""
        return len(self.filter_classes)

    @property
    def own_information(self) -> np.ndarray:
        """What each filter knows of its class in nats, of shape `(K,)`."""
        return self.information[self.filter_classes, np.arange(self.filters)]

    def renumbered(self, numbers: np.ndarray) -> "FilterSurvey":
        """Returns the same with other numbers of the images.

        Args:
            numbers: ints of shape `(samples,)`: of each image the number it
                has in the split that it was chosen from.
        """
        chosen = self.top_samples
        samples = np.where(chosen < 0, NONE, numbers[chosen])
        rows = {int(numbers[n]): row for n, row in self.thumbnail_of.items()}
        return dataclasses.replace(self, top_samples=samples, thumbnail_of=rows)


def survey_filters(
    model: CSGClassifier,
    batches: Iterable[tuple[Any, Any]],
    *,
    images_per_filter: int = 9,
    track: Callable[[Any, str], Any] = lambda batches, text: batches,
) -> FilterSurvey:
    """Looks at every filter of a classifier, in one pass of the backbone.

    Maps are kept of the top images alone, and features as one float32 array
    `(samples, filters)`: 400 MB at 50,000 images and 2,048 filters.

    Args:
        model: `CSGClassifier`.
        batches: iterable of image batches `(batch, height, width, 3)`, RGB in
            0..255, and their labels `(batch,)`, or `(batch, classes)` where an
            image may have several.
        images_per_filter: int, at least 1.
        track: callable from batches and a text to the batches, such as a
            progress bar.

    Returns:
        `FilterSurvey`.

    Raises:
        ValueError: if there is no image, the network gives values that are
            not finite, or `images_per_filter` is not as described.
    """
    most = whole_number("images_per_filter", images_per_filter, 1)
    top = TopImages(model.filters, most)
    features, labels = _pass(model, batches, top, track)
    head = head_of(model)
    features, labels = metrics.check_samples(
        features, labels, head, model.multi_label
    )
    classes, dead = head.classes_of_filters(), metrics.dead_filters(features)
    # Behind a ReLU an image with 0 does not fire the filter at all.
    silent = (features.min(axis=0) >= 0)[:, None] & (top.values <= 0)
    top.drop(silent | dead[:, None])
    has = _memberships(labels, top.samples, classes)
    recall = metrics.filter_recall(
        features, labels, head, multi_hot=model.multi_label
    )
    thumbnails, rows = top.thumbnails()
    there = top.samples != NONE
    gate = head.gate_matrix
    return FilterSurvey(
        class_names=list(class_names_of(model)),
        filter_names=model.filter_names,
        samples=len(labels),
        gate_matrix=gate,
        filter_classes=classes,
        information=_information(features, labels, head.num_classes),
        purity=_shares(has, there),
        class_means=_class_means(features, labels, head.num_classes),
        recall=recall.recall,
        recall_without=recall.without,
        recall_without_all=recall.without_all,
        duplicates=metrics.duplicate_filters(features),
        shared=_shared(gate, dead),
        dead=dead,
        top_samples=top.samples,
        top_values=np.where(there, top.values, np.nan),
        top_labels=_top_labels(labels, top.samples, classes, has),
        top_maps=top.maps,
        thresholds=high_activation(features, top.maps, there),
        thumbnails=thumbnails,
        thumbnail_of=rows,
    )


def high_activation(
    features: np.ndarray, maps: np.ndarray, there: np.ndarray
) -> np.ndarray:
    """Returns from where on each filter's map counts as high.

    Half way from what the filter gives on average, over all images and places,
    to the mean of the peaks in its top images. A share of all activations
    would not do: a filter that is silent for nine classes of ten, as it should
    be, is at rest in most of any larger share; and a share of the top images'
    places would cut an area out of a map that is the same throughout.

    Args:
        features: array of shape `(samples, filters)`: the maps' averages.
        maps: array of shape `(filters, n, h, w)`, of the top images.
        there: bools of shape `(filters, n)`: which of them there are.

    Returns:
        float32 array of shape `(filters,)`; infinite where there is no image.
    """
    peaks = maps.max(
        axis=(2, 3), where=there[:, :, None, None], initial=-np.inf
    )
    count = there.sum(axis=1)
    total = peaks.sum(axis=1, where=there, dtype="float64")
    peak = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    rest = features.mean(axis=0, dtype="float64")
    return ((rest + peak) / 2).astype("float32")


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


def _memberships(labels, samples, classes):
    """Says which top images have their filter's class, bools `(K, n)`."""
    there = samples != NONE
    if labels.ndim == 1:
        return there & (labels[samples] == classes[:, None])
    return there & (labels[samples, classes[:, None]] > 0)


def _top_labels(labels, samples, classes, has):
    """Returns a class of each top image, its filter's if it has that."""
    if labels.ndim == 1:
        found = labels[samples]
    else:
        first = labels[samples].argmax(axis=2)
        first[~labels[samples].any(axis=2)] = NONE
        found = np.where(has, classes[:, None], first)
    return np.where(samples == NONE, NONE, found)


def _shared(gate, dead):
    return np.zeros_like(dead) if gate is None else metrics.shared_filters(gate)


def _shares(has, there):
    count = there.sum(axis=1)
    shares = has.sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, shares, np.nan)


def _information(features, labels, num_classes):
    """Returns the mutual information, of some filters at a time."""
    step = max(1, INFORMATION_BYTES // (8 * len(features)))
    parts = [
        metrics.mutual_information(
            features[:, start : start + step],
            labels,
            num_classes=num_classes,
            n_jobs=os.cpu_count() or 1,
        )
        for start in range(0, features.shape[1], step)
    ]
    return np.concatenate(parts, axis=1).astype("float32")


def _class_means(features, labels, num_classes):
    means = np.full((num_classes, features.shape[1]), np.nan, "float32")
    for label in range(num_classes):
        own = labels == label if labels.ndim == 1 else labels[:, label] > 0
        if own.any():
            means[label] = features[own].mean(axis=0, dtype="float64")
    return means
