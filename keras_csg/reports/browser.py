"""The classes and filters of a network, as a page's script reads them."""

import base64
from typing import Any

import numpy as np

from keras_csg.metrics.gates import SHARED_FROM
from keras_csg.metrics.resizing import resize_maps
from keras_csg.models.filter_names import filter_label
from keras_csg.reports.album import Album
from keras_csg.reports.gathering import Gathered

MOST_FILTERS = 60
"""Filters of a class that are listed."""
WITHOUT_GATE = 12
"""The same of a network without a gate: every filter adds to every class."""
MOST_SERVED = 8
MOST_CONFUSED = 5
LARGEST_MAP = 14
MOST_MAP_BYTES = 600_000


def browser_data(gathered: Gathered, album: Album) -> dict[str, Any]:
    """Returns the classes and filters as lists that JSON can hold.

    Args:
        gathered: `Gathered`.
        album: `Album` that the images are put into.
    """
    return {
        "gated": gathered.about.gated,
        "names": gathered.about.class_names,
        "classes": _classes(gathered, album),
        "filters": _filters(gathered, album),
        "maps": list(_map_shape(gathered, album.level)),
    }


def strengths(gathered: Gathered) -> np.ndarray:
    """Returns what each filter adds to a class's logit in its images.

    Args:
        gathered: `Gathered`.

    Returns:
        float array of shape `(C, K)`: the weight, through the gate where there
        is one, times the mean activation in images of the class.
    """
    head = gathered.measured.head
    weights = head.kernel.T
    if head.gate_matrix is not None:
        weights = weights * head.gate_matrix
    return weights * np.nan_to_num(gathered.survey.class_means)


def filters_of_classes(gathered: Gathered) -> list[np.ndarray]:
    """Returns the filters of each class, from what they add to it down.

    Args:
        gathered: `Gathered`.
    """
    added = strengths(gathered)
    order = np.argsort(-added, axis=1, kind="stable")
    gate = gathered.measured.head.gate_matrix
    if gate is None:
        return list(order[:, :WITHOUT_GATE])
    serves = gate >= SHARED_FROM
    return [row[serves[c][row]] for c, row in enumerate(order)]


def _classes(gathered, album):
    added, chosen = strengths(gathered), filters_of_classes(gathered)
    confused = _confused(gathered.measured.confusion, len(chosen))
    return [
        {
            "filters": own[:MOST_FILTERS].tolist(),
            "total": len(own),
            "adds": _rounded(added[label][own[:MOST_FILTERS]]),
            "images": _heatmaps(gathered, album, label),
            "confused": confused[label],
            **_figures(gathered, label),
        }
        for label, own in enumerate(chosen)
    ]


def _figures(gathered, label):
    figures = {
        name.removeprefix("class_"): values[label]
        for name, values in gathered.measured.classes.items()
    }
    if gathered.about.gated:
        figures["without"] = gathered.survey.recall_without_all[label]
    return {k: _plain(v) for k, v in figures.items()}


def _confused(confusion, classes):
    """Returns of each class what it is taken for most, and how often."""
    if confusion is None:
        return [[] for _ in range(classes)]
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=1, kind="stable")[:, :MOST_CONFUSED]
    return [
        [[int(d), int(wrong[c, d])] for d in others if wrong[c, d]]
        for c, others in enumerate(order)
    ]


def _heatmaps(gathered, album, label):
    found = []
    for sample in gathered.heatmaps[label][: album.level.heatmaps]:
        picture = gathered.pictures.get(sample)
        if picture is None or label not in picture.maps:
            continue
        found.append(
            [
                album.add(("image", sample), picture.image),
                album.add(("map", sample, label), picture.maps[label]),
            ]
        )
    return found


def _filters(gathered, album):
    survey = gathered.survey
    shape = _map_shape(gathered, album.level)
    twins: dict[int, list] = {}
    for one, other, correlation in survey.duplicates:
        for k, twin in ((one, other), (other, one)):
            twins.setdefault(int(k), []).append(
                [int(twin), _plain(correlation)]
            )
    served = _served(gathered)
    return [
        {
            "label": filter_label(survey.filter_names, k),
            "class": int(survey.filter_classes[k]),
            "serves": served[k],
            "knows": _plain(survey.own_information[k]),
            "purity": _plain(survey.purity[k]),
            "without": _plain(survey.recall_without[k]),
            "recall": _plain(survey.recall[survey.filter_classes[k]]),
            "shared": bool(survey.shared[k]),
            "dead": bool(survey.dead[k]),
            "twins": twins.get(k, [])[:3],
            "images": _top_images(survey, album, k),
            **_maps(survey, k, album.level.images, shape),
        }
        for k in range(survey.filters)
    ]


def _served(gathered):
    """Returns the classes of each filter, and how open it is to them."""
    survey = gathered.survey
    gate = survey.gate_matrix
    if gate is None:
        return [[[int(c), None]] for c in survey.filter_classes]
    served = []
    order = np.argsort(-gate, axis=0, kind="stable")[:MOST_SERVED]
    for k, classes in enumerate(order.T):
        kept = [c for c in classes if gate[c, k] >= SHARED_FROM] or classes[:1]
        served.append([[int(c), _plain(gate[c, k])] for c in kept])
    return served


def _top_images(survey, album, k):
    found = []
    for n, sample in enumerate(survey.top_samples[k, : album.level.images]):
        if sample < 0:
            continue
        image = survey.thumbnails[survey.thumbnail_of[int(sample)]]
        found.append(
            [
                album.add(("top", int(sample)), image),
                int(survey.top_labels[k, n]),
                _plain(survey.top_values[k, n]),
            ]
        )
    return found


def _map_shape(gathered, level):
    """Returns rows and columns of the maps that are drawn over images."""
    _, images, height, width = gathered.survey.top_maps.shape
    count = gathered.survey.filters * min(images, level.images)
    largest = LARGEST_MAP
    while largest > 4 and count * largest**2 > MOST_MAP_BYTES:
        largest -= 1
    scale = min(1.0, largest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _maps(survey, k, images, shape):
    """Returns maps as bytes, 255 for the largest, and what of that is high."""
    there = survey.top_samples[k, :images] >= 0
    maps = survey.top_maps[k, :images][there]
    if not len(maps):
        return {"maps": "", "high": None}
    small = np.maximum(resize_maps(maps, shape), 0)
    largest = max(float(small.max()), 1e-12)
    data = np.rint(255 * small / largest).astype("uint8").tobytes()
    return {
        "maps": base64.b64encode(data).decode(),
        "high": _plain(np.clip(survey.thresholds[k] / largest, 0.01, 1)),
    }


def _rounded(values):
    return [_plain(value) for value in values]


def _plain(value):
    """Returns a number that JSON can hold, short; `None` for NaN."""
    if value is None or not np.isfinite(value):
        return None
    return (
        int(value)
        if isinstance(value, int | np.integer)
        else float(f"{float(value):.4g}")
    )
