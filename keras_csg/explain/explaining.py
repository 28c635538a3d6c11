from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import special

from keras_csg.arguments import whole_number
from keras_csg.explain.class_activation import weighted_maps
from keras_csg.explain.class_filters import candidate_filters, head_of
from keras_csg.explain.explanation import Evidence, Explanation, Removal
from keras_csg.explain.feature_maps import in_batches
from keras_csg.explain.seen_images import opened
from keras_csg.models.class_names import class_names_of, class_number
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.filter_names import filter_numbers

FILTERS = 5
"""Filters that an explanation shows of a class."""


def explain(
    model: CSGClassifier,
    images: Any,
    for_class: str | int | Sequence[str | int] | None = None,
    *,
    filters: int = FILTERS,
    without: int | str | Iterable[int | str] = (),
    batch_size: int = 32,
) -> Explanation:
    """Explains what a classifier predicts, filter by filter.

    The logit of a class is a sum over filters and a bias, so what each filter
    adds to it is exact: its weight times its average, `W[c, k] a_k`.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255,
            or one image; or list of paths, `PIL.Image.Image` or arrays, of any
            size, which become the network's image as in training; or
            `SeenImages`, for which the backbone is not run again.
        for_class: name or number of a class to explain beside the predicted
            one; or one for each image. Where it is the predicted one, or
            `None`, the second likeliest.
        filters: int. Number of filters to look at of each class, those that
            add most, of either sign.
        without: numbers or names of filters that are switched off:
            everything is as if their maps were zero throughout.
        batch_size: int.

    Returns:
        `Explanation`.

    Raises:
        ValueError: if an argument is not as described, or a file cannot be
            read.
    """
    filters = whole_number("filters", filters, 1)
    batch_size = whole_number("batch_size", batch_size, 1)
    off = filter_numbers(without, model.filters, model.filter_names)
    pictures, batches = opened(model, images, batch_size)
    names = class_names_of(model)
    others = _others(names, for_class, len(pictures))
    lens = _Lens(model, filters, off)
    parts = [
        lens.look_at(maps, wanted)
        for maps, wanted in zip(
            batches, in_batches(others, batch_size), strict=True
        )
    ]
    return Explanation(
        pictures,
        names,
        model.filter_names,
        gate_matrix=lens.gate,
        filter_classes=lens.filter_classes,
        multi_label=model.multi_label,
        switched_off=tuple(off.tolist()),
        **{name: _joined([part[name] for part in parts]) for name in parts[0]},
    )


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

    def __init__(self, model, filters, off):
        self._model = model
        self._off = off
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

    def look_at(self, maps, others):
        if len(self._off):
            maps = maps.copy()  # The caller's stay as they are.
            maps[..., self._off] = 0
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
