"""How well a classifier's maps localise objects, as rows of a table."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.explain.activation_map import activation_thresholds
from keras_csg.explain.class_activation import weighted_maps
from keras_csg.explain.class_filters import (
    GRADIENT_MAP_FILTERS,
    candidate_filters,
    class_weights,
    top_filters,
)
from keras_csg.explain.feature_maps import (
    feature_maps,
    in_batches,
)
from keras_csg.explain.filter_gradients import FilterGradients
from keras_csg.metrics.filter_localization import filter_localization
from keras_csg.metrics.localization import (
    intersection_over_union,
    localization_figures,
    pointing_game,
    top_pixels,
)
from keras_csg.metrics.localization_baselines import baseline_figures
from keras_csg.metrics.resizing import resize_maps
from keras_csg.models.classifier import CSGClassifier

GRADIENT_THRESHOLD = 1.0
"""Value from which a gradient map marks a pixel: the image's RMS."""


def gate_choices(model: CSGClassifier) -> dict[bool, str]:
    """Returns the ways to look at a model: `gated` and what a row is called.

    Returns:
        dict from `gated`, a bool, to the prefix of the names.
    """
    return {True: "gated_", False: ""} if model.gated else {False: ""}


def evaluate_localization(
    model: CSGClassifier,
    annotated: AnnotatedImages,
    *,
    batch_size: int = 16,
    filters: int = GRADIENT_MAP_FILTERS,
    track: Callable[[list, str], Any] = lambda batches, text: batches,
) -> dict[str, dict[str, float]]:
    """Measures class activation, gradient and activation maps, by the paper.

    Each of the true class, with the gate (the class's own filters, weights
    `W * G`) and without (all filters, weights `W`).

    - CAM: the highest 30 % of the pixels.
    - Gradient maps of the filters most active for the class over these
      images: the pixels above 1; the mean over the filters is the image's.
    - Activation maps: see `filter_localization`; the mean over the filters.
      With the gate, a filter takes its best class among those it is fully open
      to, most often one; without, among all, which the masks choose: of two
      equal networks the second row is the higher one.
    - The baselines of `baseline_figures`.

    Args:
        model: `CSGClassifier`.
        annotated: `AnnotatedImages`, with masks.
        batch_size: int.
        filters: int. Number of filters of a class for the gradient maps.
        track: callable from batches and a text to the batches, such as a
            progress bar.

    Returns:
        dict from `gated_cam`, `cam`, `gated_gradient_map`, ... `whole_image`,
        `centered_square` and `center` to a dict of `iou`, `ap20`, `ap30` and
        `pointing_game`, see `localization_figures`.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    images, labels, masks = annotated
    if masks is None:
        raise ValueError(
            "The images must have masks; `evaluate_grid_pointing` needs none. "
            "Received: masks=None"
        )
    maps = feature_maps(model, images, batch_size)
    gradients = FilterGradients(model)
    thresholds = activation_thresholds(maps)
    rows = {}
    for gated, prefix in gate_choices(model).items():
        weights = class_weights(model, gated)[labels]
        candidates = candidate_filters(model, gated)
        rows[prefix + "cam"] = _cam_figures(maps, weights, masks)
        chosen = top_filters(
            maps.mean(axis=(1, 2)), labels, candidates, filters
        )
        batches = track(
            _zip_batches(annotated, batch_size), f"{prefix}gradient_map"
        )
        rows[prefix + "gradient_map"] = _gradient_figures(
            gradients, batches, *chosen
        )
        rows[prefix + "activation_map"] = filter_localization(
            maps, labels, masks, thresholds, candidates
        ).figures()
    return rows | baseline_figures(masks)


def _zip_batches(arrays, batch_size):
    parts = [in_batches(array, batch_size) for array in arrays]
    return list(zip(*parts, strict=True))


def _cam_figures(maps, weights, masks):
    cams = resize_maps(weighted_maps(maps, weights), masks.shape[1:])
    return localization_figures(
        intersection_over_union(top_pixels(cams), masks),
        pointing_game(cams, masks),
    )


def _gradient_figures(gradients, batches, chosen, valid):
    """Scores the maps of each image's filters, and averages over them."""
    overlaps, hits = [], []
    for images, labels, masks in batches:
        maps = gradients.maps(images, chosen[labels])
        shares = valid[labels] / np.maximum(
            valid[labels].sum(axis=1, keepdims=True), 1
        )
        masks = masks[:, None]
        marked = maps > GRADIENT_THRESHOLD
        overlap = intersection_over_union(marked, masks)
        overlaps.append((overlap * shares).sum(axis=1))
        hits.append((pointing_game(maps, masks) * shares).sum(axis=1))
    return localization_figures(np.concatenate(overlaps), np.concatenate(hits))
