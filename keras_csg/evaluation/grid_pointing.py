"""The grid pointing game of a classifier's maps, without any annotation."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_csg.evaluation.localization import gate_choices
from keras_csg.explain.class_activation import weighted_maps
from keras_csg.explain.class_filters import (
    candidate_filters,
    class_weights,
    top_filters,
)
from keras_csg.explain.cloning import clone_classifier
from keras_csg.explain.feature_maps import (
    feature_maps,
    in_batches,
)
from keras_csg.explain.filter_gradients import FilterGradients
from keras_csg.metrics.grid_pointing_game import (
    choose_cells,
    grid_pointing_game,
    make_mosaics,
)
from keras_csg.metrics.resizing import resize_maps
from keras_csg.models.classifier import CSGClassifier

MOSAICS = 50


class GridPointing(NamedTuple):
    """The result of a grid pointing game.

    Attributes:
        shares: dict from `gated_cam`, `cam`, `gated_gradient_map` and so on,
            and `chance`, to a float in `[0, 1]`: the mean share of positive
            attribution in the right cell.
        images: int. Number of different images in the mosaics.
        classes: int. Number of their classes.
    """

    shares: dict[str, float]
    images: int
    classes: int


def evaluate_grid_pointing(
    model: CSGClassifier,
    images: np.ndarray,
    labels: np.ndarray,
    side: int,
    *,
    mosaics: int = MOSAICS,
    batch_size: int = 4,
    seed: int = 0,
    track: Callable[[list, str], Any] = lambda batches, text: batches,
) -> GridPointing | None:
    """Plays the grid pointing game with every kind of map.

    The backbone is fed mosaics at their full size, `side` times its own, as a
    copy with the same weights; where it does not allow that, mosaics shrunk to
    its own size. The maps of a cell's class: CAM, as it is; the gradient, not
    blurred, of the sum of the class's most active filters; the mean of the
    activations of these filters. With the gate and without.

    Args:
        model: `CSGClassifier`.
        images: uint8 array of shape `(samples, height, width, 3)`.
        labels: ints of shape `(samples,)`.
        side: int. Images in a row and in a column of a mosaic.
        mosaics: int. Number of mosaics.
        batch_size: int. Mosaics at a time.
        seed: int. Seed of the choice of images.
        track: callable from batches and a text to the batches.

    Returns:
        `GridPointing`; `None` where the images classified with confidence are
        of fewer classes than there are cells.

    Reference:
        - [Boehle et al., 2021](https://arxiv.org/abs/2104.00032), section 4
    """
    features = feature_maps(model, images).mean(axis=(1, 2))
    probability = ops.sigmoid if model.multi_label else ops.softmax
    probabilities = probability(model.head(features))
    cells = choose_cells(
        labels, ops.convert_to_numpy(probabilities), side, mosaics, seed=seed
    )
    if cells is None:
        return None
    game = _Game(model, images.shape[1:3], side)
    shares: dict[str, np.ndarray] = {}
    for gated, prefix in gate_choices(model).items():
        shares |= {
            prefix + name: weights
            for name, weights in _weights(
                model, features, labels, gated
            ).items()
        }
    batches = track(in_batches(cells, batch_size), f"grid {side}x{side}")
    scores = [
        game.play(make_mosaics(images, batch), labels[batch], shares)
        for batch in batches
    ]
    means = {
        name: float(np.concatenate([batch[name] for batch in scores]).mean())
        for name in shares
    }
    return GridPointing(
        means | {"chance": 1 / side**2},
        images=len(np.unique(cells)),
        classes=len(np.unique(labels[cells])),
    )


def _weights(model, features, labels, gated):
    """Returns the filters' weights `(classes, filters)` in each map."""
    candidates = candidate_filters(model, gated)
    chosen, valid = top_filters(features, labels, candidates)
    active = np.zeros(candidates.shape, "float32")
    np.put_along_axis(active, chosen, valid.astype("float32"), axis=1)
    active /= np.maximum(active.sum(axis=1, keepdims=True), 1)
    return {
        "cam": class_weights(model, gated),
        "gradient_map": active,
        "activation_map": active,
    }


class _Game:
    """A model that takes mosaics of `side` times `side` of its images."""

    def __init__(self, model, size, side):
        self.side = side
        self.size = (side * size[0], side * size[1])
        self.input_size = self.size
        try:
            self.model = clone_classifier(model, self.size)
        except ValueError:  # Layers that are made for one size.
            self.model, self.input_size = model, size
        self.gradients = FilterGradients(self.model)

    def play(self, mosaics, classes, shares):
        """Returns the scores `(mosaics, cells)` of each map."""
        images = np.asarray(mosaics, "float32")
        if self.input_size != self.size:
            images = ops.convert_to_numpy(
                ops.image.resize(images, self.input_size, antialias=True)
            )
        maps = feature_maps(self.model, images)[:, None]
        scores = {}
        for name, weights in shares.items():
            weights = weights[classes]  # (mosaics, cells, filters)
            if name.endswith("gradient_map"):
                attribution = self.gradients.norms(images, weights)
            else:
                attribution = _weighted(maps, weights)
            attribution = resize_maps(attribution, self.size)
            scores[name] = grid_pointing_game(attribution, self.side)
        return scores


def _weighted(maps, weights):
    """Returns maps `(mosaics, cells, h, w)`, a class's filters summed."""
    cells = weights.shape[1]
    repeated = np.broadcast_to(maps, (len(maps), cells, *maps.shape[2:]))
    flat = weighted_maps(
        repeated.reshape(-1, *maps.shape[2:]),
        weights.reshape(-1, weights.shape[-1]),
    )
    return flat.reshape(len(maps), cells, *flat.shape[1:])
