from typing import NamedTuple

import numpy as np

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.explain.kinds import MAPS
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier

MOST_IMAGES = 6


class MapGallery(NamedTuple):
    """Some images and the maps of their classes, as `save_maps` draws them.

    Attributes:
        images: uint8 array of shape `(n, height, width, 3)`.
        maps: dict from a name to a float array `(n, height, width)`.
        masks: bool array of shape `(n, height, width)`; `None` if it is not
            known where the objects are.
        titles: list of str: the name of each image's class.
    """

    images: np.ndarray
    maps: dict[str, np.ndarray]
    masks: np.ndarray | None
    titles: list[str]


def map_gallery(
    model: CSGClassifier, annotated: AnnotatedImages, most: int = MOST_IMAGES
) -> MapGallery:
    """Chooses some images and computes every kind of map of their classes.

    Args:
        model: `CSGClassifier`.
        annotated: `AnnotatedImages`; masks are not needed.
        most: int, at least 1. Number of images, spread evenly over those
            given.

    Returns:
        `MapGallery`, with the gated maps of a gated model.
    """
    images, labels, masks = annotated
    chosen = slice(None, None, max(1, -(-len(images) // most)))
    prefix = "gated " if model.gated else ""
    maps = {
        prefix + name: make(
            model, images[chosen], labels[chosen], gated=model.gated
        )
        for name, make in MAPS.items()
    }
    names = class_names_of(model)
    return MapGallery(
        images[chosen],
        maps,
        None if masks is None else masks[chosen],
        [names[label] for label in labels[chosen]],
    )
