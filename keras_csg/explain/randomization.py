from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_csg.explain.cloning import (
    clone_backbone,
    clone_classifier,
    seeded_initializers,
)
from keras_csg.explain.feature_maps import classes_to_explain, feature_maps
from keras_csg.explain.kinds import MAPS
from keras_csg.explain.similarity import (
    rank_correlation,
    structural_similarity,
)
from keras_csg.layers.states import take_state
from keras_csg.models.classifier import CSGClassifier


def cascading_randomization(
    model: CSGClassifier,
    images: np.ndarray,
    classes: np.ndarray | None = None,
    *,
    gated: bool = True,
    maps: Mapping[str, Callable[..., np.ndarray]] | None = None,
    depths: int = 6,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Checks that maps depend on what the network has learnt.

    From the head down to the images, layers are set to fresh initial weights,
    one after the other and all those above them too. A map that stays much
    the same shows the image, not the network. The gate stays as it is, since
    the head is what it selects from. The model itself is not touched.

    Args:
        model: `CSGClassifier`.
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        classes: ints of shape `(samples,)`; `None` for those predicted.
        gated: bool. Whether to look at the gated maps.
        maps: dict from a name to a function such as `class_activation_map`;
            `None` for `keras_csg.explain.MAPS`.
        depths: int. Number of depths at which the maps are compared.
        seed: int. Seed of the fresh weights.

    Returns:
        list of dicts, one for each depth and first one of depth 0, nothing
        random: `layers`, int, how many layers are random; `down_to`, the name
        of the lowest of them; and by the name of each map a dict of
        `rank_correlation` and `ssim`, means over the images, in `[-1, 1]`.

    Raises:
        ValueError: if an argument is not as described.

    Reference:
        - [Adebayo et al., 2018](https://arxiv.org/abs/1810.03292)
    """
    if depths < 1:
        raise ValueError(
            f"`depths` must be at least 1. Received: depths={depths}"
        )
    maps = MAPS if maps is None else maps
    classes = classes_to_explain(model, feature_maps(model, images), classes)
    arguments: dict[str, Any] = {
        "images": images,
        "classes": classes,
        "gated": gated,
    }
    original = {name: make(model, **arguments) for name, make in maps.items()}
    rows = []
    for layers, name, mixed in _randomized(model, depths, seed):
        row = {"layers": layers, "down_to": name}
        for kind, make in maps.items():
            row[kind] = _likeness(original[kind], make(mixed, **arguments))
        rows.append(row)
    return rows


def _likeness(original, maps):
    return {
        "rank_correlation": float(rank_correlation(original, maps).mean()),
        "ssim": float(structural_similarity(original, maps).mean()),
    }


def _randomized(model, depths, seed):
    """Yields layer counts, names and the model, ever more of it random."""
    mixed, fresh = clone_classifier(model), _fresh_layers(model, seed)
    stops = np.linspace(1, len(fresh), min(depths, len(fresh)))
    stops = set(np.round(stops).astype(int).tolist())
    yield 0, None, mixed
    for number, (name, initial) in enumerate(fresh, 1):
        layer = mixed.head if number == 1 else mixed.backbone.get_layer(name)
        take_state(layer, initial)
        if number in stops:
            yield number, name, mixed


def _fresh_layers(model, seed):
    """Returns names and layers with initial weights, from the top down.

    A layer that learns nothing is not among them, such as one that was adapted
    to the images: what it holds is a part of how they are prepared.
    """
    with seeded_initializers(seed):
        backbone = clone_backbone(model.backbone)
        head = type(model.head).from_config(model.head.get_config())
        head.build((None, model.filters))
    backbone.trainable = True  # Also where it rested in training.
    below = [
        (layer.name, layer)
        for layer in reversed(backbone.layers)
        if layer.trainable_weights
    ]
    return [("head", head), *below]
