import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from PIL import Image
from scipy import special

from keras_csg.arguments import whole_number
from keras_csg.data.image_reading import ImageReading
from keras_csg.explain.class_activation import weighted_maps
from keras_csg.explain.class_filters import candidate_filters, head_of
from keras_csg.explain.explanation import Evidence, Explanation, Removal
from keras_csg.explain.feature_maps import check_rgb, in_batches
from keras_csg.explain.pictures import (
    Picture,
    picture_of_array,
    picture_of_file,
    picture_of_image,
)
from keras_csg.models.class_names import class_names_of, class_number
from keras_csg.models.classifier import CSGClassifier

FILTERS = 5
"""Filters that an explanation shows of a class."""


def explain(
    model: CSGClassifier,
    images: Any,
    for_class: str | int | Sequence[str | int] | None = None,
    *,
    filters: int = FILTERS,
    batch_size: int = 32,
) -> Explanation:
    """Explains what a classifier predicts, filter by filter.

    The logit of a class is a sum over filters and a bias, so what each filter
    adds to it is exact: its weight times its average, `W[c, k] a_k`.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255,
            or one image; or list of paths, `PIL.Image.Image` or arrays, of any
            size, which become the network's image as in training.
        for_class: name or number of a class to explain beside the predicted
            one; or one for each image. Where it is the predicted one, or
            `None`, the second likeliest.
        filters: int. Number of filters to look at of each class, those that
            add most, of either sign.
        batch_size: int.

    Returns:
        `Explanation`.

    Raises:
        ValueError: if an argument is not as described, or a file cannot be
            read.
    """
    filters = whole_number("filters", filters, 1)
    batch_size = whole_number("batch_size", batch_size, 1)
    pictures, pixels = pictures_of(
        images, _size(model), ImageReading(**model.image_reading)
    )
    names = class_names_of(model)
    others = _others(names, for_class, len(pixels))
    lens = _Lens(model, filters)
    parts = [
        lens.look_at(batch, wanted)
        for batch, wanted in zip(
            in_batches(pixels, batch_size),
            in_batches(others, batch_size),
            strict=True,
        )
    ]
    return Explanation(
        pictures,
        names,
        model.filter_names,
        gate_matrix=lens.gate,
        filter_classes=lens.filter_classes,
        multi_label=model.multi_label,
        **{name: _joined([part[name] for part in parts]) for name in parts[0]},
    )


def pictures_of(
    images: Any, size: tuple[int, int] | None, reading: ImageReading
) -> tuple[list[Picture], np.ndarray]:
    """Returns images as people and as a network of a size see them.

    Args:
        images: see `explain`.
        size: tuple `(height, width)`; `None` where a network takes any, and
            images must be arrays.
        reading: `ImageReading`.

    Returns:
        list of `Picture`, and float32 array `(samples, height, width, 3)`.

    Raises:
        ValueError: if the images are not as described.
    """
    if isinstance(images, str | os.PathLike | Image.Image):
        images = [images]
    if not isinstance(images, list | tuple):
        images = ops.convert_to_numpy(images)
        images = images[None] if images.ndim == 3 else images
        images = check_rgb(images)
    if not len(images):
        raise ValueError("`images` must not be empty. Received: images=[]")
    pairs = [
        _picture(image, number, size, reading)
        for number, image in enumerate(images)
    ]
    pixels = np.stack([np.asarray(seen, "float32") for _, seen in pairs])
    return [picture for picture, _ in pairs], pixels


def _picture(image, number, size, reading):
    if isinstance(image, str | os.PathLike):
        return picture_of_file(image, reading, size)
    name = f"image {number}"
    if isinstance(image, Image.Image):
        return picture_of_image(image, reading, size, name)
    (array,) = check_rgb(np.asarray(image)[None])
    if size in (None, array.shape[:2]):
        return picture_of_array(array, name), array
    whole = Image.fromarray(picture_of_array(array, name).pixels)
    return picture_of_image(whole, reading, size, name)


def _size(model):
    size = model.backbone.input_shape[1:3]
    return None if None in size else tuple(size)


def _others(names, given, count):
    """Returns the class asked for of each image; -1 for the runner-up."""
    if given is None:
        return np.full(count, -1)
    if isinstance(given, str) or np.ndim(given) == 0:
        given = [given] * count
    if len(given) != count:
        raise ValueError(
            f"`for_class` must be one class, or one for each of {count} "
            f"images. Received: {len(given)} classes"
        )
    known = {name: class_number(names, name) for name in set(given)}
    return np.array([known[name] for name in given])


class _Lens:
    """Looks at batches of images through a classifier's head and gate."""

    def __init__(self, model, filters):
        self._model = model
        self._most = min(filters, model.filters)
        self._head = head_of(model)
        self._weights = self._head.kernel.T  # (C, K)
        self.gate = self._head.gate_matrix
        self.filter_classes = self._head.classes_of_filters()
        self._own = self._weights
        if model.gated:
            self._own = self._weights * self.gate
            self._open = candidate_filters(model, gated=True)
        elif not model.multi_label:  # Logits are told up to a shift of all.
            self._own = self._weights - self._weights.mean(axis=0)

    def look_at(self, images, others):
        maps = self._model.backbone.predict_on_batch(images)
        maps = np.asarray(maps, "float32")
        features = maps.mean(axis=(1, 2))
        logits = self._head.logits(features)
        predicted = logits.argmax(axis=-1)
        others = _or_runner_up(others, logits, predicted)
        found = {
            "probabilities": self._to_probabilities(logits),
            "class_specific_probabilities": None,
            "predicted": self._evidence(maps, features, predicted),
            "other": self._evidence(maps, features, others),
            "contrast": self._evidence(maps, features, predicted, others),
            "without_own": None,
        }
        found["without"] = self._without(
            features, logits, predicted, found["predicted"].filters
        )
        if self.gate is not None:
            found["class_specific_probabilities"] = self._to_probabilities(
                self._head.class_specific_logits(features)
            )
            kept = features * ~self._open[predicted]
            found["without_own"] = self._removal(
                self._head.logits(kept), predicted
            )
        return found

    def _evidence(self, maps, features, classes, less=None):
        weights, own = self._weights[classes], self._own[classes]
        biases = self._head.bias[classes]
        if less is not None:
            weights = weights - self._weights[less]
            own, biases = own - self._own[less], biases - self._head.bias[less]
        parts = features * weights
        order = np.argsort(-np.abs(parts), axis=1, kind="stable")
        order = order[:, : self._most]
        chosen = np.take_along_axis(maps, order[:, None, None], axis=-1)
        chosen = chosen * np.take_along_axis(weights, order, 1)[:, None, None]
        return Evidence(
            classes,
            parts.sum(axis=1),
            biases,
            parts,
            order,
            np.moveaxis(chosen, -1, 1),
            *_scaled(weighted_maps(maps, own)),
        )

    def _without(self, features, logits, predicted, filters):
        parts = np.take_along_axis(features, filters, axis=1)
        # (n, m, C): each logit without each of the filters.
        left = logits[:, None] - parts[..., None] * self._weights.T[filters]
        return self._removal(left, predicted[:, None])

    def _removal(self, logits, predicted):
        probabilities = self._to_probabilities(logits)
        wanted = np.broadcast_to(predicted[..., None], (*logits.shape[:-1], 1))
        kept = np.take_along_axis(probabilities, wanted, axis=-1)
        return Removal(logits.argmax(axis=-1), kept[..., 0])

    def _to_probabilities(self, logits):
        if self._model.multi_label:
            return special.expit(logits)
        return special.softmax(logits, axis=-1)


def _or_runner_up(others, logits, predicted):
    without = logits.copy()
    np.put_along_axis(without, predicted[:, None], -np.inf, axis=1)
    known = (others >= 0) & (others != predicted)
    return np.where(known, others, without.argmax(axis=1))


def _scaled(heat):
    """Returns the positive part of maps by its maximum, and that."""
    heat = np.maximum(heat, 0)
    peaks = heat.max(axis=(1, 2))
    return heat / np.where(peaks > 0, peaks, 1)[:, None, None], peaks


def _joined(parts):
    """Joins what batches gave: arrays, `None`, or classes of these."""
    first = parts[0]
    if first is None:
        return None
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    return type(first)(
        **{
            name: _joined([getattr(part, name) for part in parts])
            for name in first.__dataclass_fields__
        }
    )
