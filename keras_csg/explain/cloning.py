"""Copies of a classifier that may be changed without touching it."""

import contextlib
import random
from collections.abc import Iterator

import keras

from keras_csg.layers.batch_normalization import fuse_batch_normalization
from keras_csg.layers.states import fresh_copy, take_state
from keras_csg.models.classifier import CSGClassifier


def clone_classifier(
    model: CSGClassifier, image_size: tuple[int, int] | None = None
) -> CSGClassifier:
    """Returns a copy with layers and weights of its own.

    Args:
        model: `CSGClassifier`.
        image_size: tuple `(height, width)` of the copy's images; `None` for
            the same as the model's.

    Returns:
        A `CSGClassifier`.

    Raises:
        ValueError: if the backbone does not allow images of that size.
    """
    config = model.get_config()
    config.update(schedule=model.schedule)
    with seeded_initializers(0):  # Their weights are replaced anyway.
        config["backbone"] = clone_backbone(model.backbone, image_size)
        clone = type(model)(**config)
    take_state(clone.backbone, model.backbone)
    take_state(clone.head, model.head)
    if model.gated:
        take_state(clone.gate, model.gate)
    return clone


def clone_backbone(
    backbone: keras.Model, image_size: tuple[int, int] | None = None
) -> keras.Model:
    """Returns a copy of a backbone with fresh, random weights."""
    images = None
    if image_size is not None:
        images = keras.Input((*image_size, 3), name="images")
    clone = keras.models.clone_model(
        backbone, input_tensors=images, clone_function=fresh_copy
    )
    return fuse_batch_normalization(clone)


@contextlib.contextmanager
def seeded_initializers(seed: int) -> Iterator[None]:
    """Makes initializers without a seed of their own draw from `seed`.

    Keras takes the seed of each from Python's `random`, whose state is put
    back at the end. No seed gives the weights that a training with the same
    one began with: what it has learnt still resembles them.
    """
    state = random.getstate()
    random.seed(f"initializers {seed}")
    try:
        yield
    finally:
        random.setstate(state)
