"""Random crops and flips of whole batches, drawn from a key.

`tf.image.stateless_random_crop` and `stateless_random_flip_left_right` treat a
batch as one image; these draw for every image and cost one pass over it.
"""

import math

import tensorflow as tf

from keras_csg.data.image_sizes import SMALL_IMAGE

LEAST_AREA = 0.25
"""Share of a large image's area that a crop keeps at least."""


def crop_and_flip(
    images: tf.Tensor,
    key: tf.Tensor,
    crop: bool = True,
    flip: bool = True,
    area: float = LEAST_AREA,
    place: tf.Tensor | None = None,
) -> tf.Tensor:
    """Crops and mirrors every image at random.

    Images of up to 64 pixels are padded with black by an eighth of their size
    and cropped back: a shift. Larger ones are cropped to a part of their area
    and resized back.

    Args:
        images: uint8 tensor of shape `(batch, height, width, channels)`.
        key: int32 tensor of shape `(2,)`.
        crop: bool. Whether to crop.
        flip: bool. Whether to mirror left and right, every second image.
        area: float in `(0, 1]`. Least share of a large image's area to keep.
        place: int32 tensor `(first, size)`: where the images are in a batch of
            which they are a part; `None` for all of it. They are cropped as in
            the whole.

    Returns:
        uint8 tensor of the shape of `images`.
    """
    keys = tf.unstack(tf.random.split(key, 2))
    count = tf.shape(images)[0]
    first, size = (0, count) if place is None else tf.unstack(place)

    def drawn(rows, key, *bounds):
        draws = tf.random.stateless_uniform([*rows, size], key, *bounds)
        return draws[..., first : first + count]

    mirrored = tf.logical_and(drawn([], keys[0]) < 0.5, flip)
    if crop and images.shape[1] > SMALL_IMAGE:
        return _zoom(images, mirrored, drawn([4], keys[1]), area)
    padding = images.shape[1] // 8 * int(crop)
    offsets = drawn([2], keys[1], 0, 2 * padding + 1, tf.int32)
    return _shift(images, mirrored, offsets[..., None], padding)


def _shift(images, mirrored, offsets, padding):
    """Moves every image by up to `padding` pixels; mirrors where told."""
    height, width = images.shape[1:3]
    borders = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
    rows = offsets[0] + tf.range(height)  # (batch, height)
    columns = tf.range(width)
    columns = tf.where(mirrored[:, None], width - 1 - columns, columns)
    images = tf.gather(tf.pad(images, borders), rows, axis=1, batch_dims=1)
    return tf.gather(images, offsets[1] + columns, axis=2, batch_dims=1)


def _zoom(images, mirrored, draws, least):
    """Enlarges a random part of every image to its size; mirrors where told."""
    batch, size = tf.shape(images)[0], images.shape[1:3]
    area = least + (1 - least) * draws[0]
    ratio = tf.exp((2 * draws[1] - 1) * math.log(4 / 3) / 2)
    height = tf.minimum(tf.sqrt(area) / ratio, 1.0)
    width = tf.minimum(tf.sqrt(area) * ratio, 1.0)
    top, left = draws[2] * (1 - height), draws[3] * (1 - width)
    # A box whose right side comes first gives a mirrored crop.
    sides = tf.stack([left, left + width])  # (2, batch)
    sides = tf.where(mirrored, sides[::-1], sides)
    boxes = tf.stack([top, sides[0], top + height, sides[1]], axis=1)
    crops = tf.image.crop_and_resize(images, boxes, tf.range(batch), size)
    return tf.cast(tf.round(crops), images.dtype)
