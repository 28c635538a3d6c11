"""Where the objects are in sets of TensorFlow Datasets."""

import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from keras_csg.data.annotated_images import AnnotatedImages, without_empty
from keras_csg.data.image_reading import BILINEAR, PLAIN, ImageReading
from keras_csg.data.sources.tfds_builder import base_name, prepared_builder

TRIMAPS = {"oxford_iiit_pet": 1}
"""Sets whose masks are numbers of regions, and the object's number."""


def load_annotated_tfds(
    name: str,
    class_names: list[str] | None,
    size: tuple[int, int],
    *,
    data_dir: str | os.PathLike | None = None,
    reading: ImageReading = PLAIN,
    part: str = "object",
    limit: int | None = None,
    new_names: Callable[[list[str]], Mapping[str, str]] = lambda names: {},
) -> AnnotatedImages | None:
    """Returns annotated images of a TensorFlow Datasets set.

    From its test split or, if nothing is annotated there, from its validation
    split. The object's pixels are those of `segmentation_mask`; else those of
    `bbox`; else of all boxes among `objects` of the class whose box is the
    largest, which then is the image's class. Another part than the object has
    a feature `<part>_bbox`.

    Args:
        name: str. `caltech_birds2011`, `oxford_iiit_pet`, `voc` and the like.
        class_names: list of str. The classes, in the order of their numbers;
            images of others are left out. `None` for the set's own.
        size: tuple `(height, width)`.
        data_dir: path. Where TensorFlow Datasets keeps its sets.
        reading: `ImageReading`. How images and masks get their size.
        part: str.
        limit: int. Number of images, the first ones; `None` for all.
        new_names: callable from the set's own classes to those among
            `class_names` by the set's, where they are called otherwise.

    Returns:
        `AnnotatedImages`, or `None` if the set has no such features or no
        split but those to train on.

    Raises:
        ValueError: if the set cannot be read, lacks the part or has no
            annotated images to test on.
    """
    builder = prepared_builder(name, data_dir, lambda line: None)
    features = builder.info.features
    read_mask = _mask_reader(features, part, base_name(name))
    if read_mask is None:
        return None
    numbers = _class_numbers(features, class_names, new_names)
    read = _example_reader(read_mask, numbers, size, reading)
    splits = [s for s in ("test", "validation") if s in builder.info.splits]
    if not splits:
        return None
    for split in splits:
        found = _collect(builder, split, read, size, limit)
        if len(found.labels):
            return found
    raise ValueError(
        "The data must be a set with annotated images of the classes in its "
        f"test or validation split. Received: {name!r}, with splits "
        f"{', '.join(builder.info.splits)}"
    )


def _mask_reader(features, part, name):
    """Returns a function from an example to mask `(h, w)` and label."""
    if part != "object":
        key = f"{part}_bbox"
        if key not in features:
            raise ValueError(
                f"`part` must be annotated in {name}. Received: part={part!r}"
            )
        return lambda e: (_box_mask(e[key], _size(e)), e["label"])
    if "segmentation_mask" in features and "label" in features:
        return lambda e: (_object(e["segmentation_mask"], name), e["label"])
    if "bbox" in features and "label" in features:
        return lambda e: (_box_mask(e["bbox"], _size(e)), e["label"])
    if "objects" in features and "bbox" in features["objects"].feature:
        return _largest_object
    return None


def _size(example):
    return tf.shape(example["image"])[:2]


def _object(mask, name):
    """Returns the object's pixels; masks have one channel."""
    mask = mask[..., 0]
    if name in TRIMAPS:
        return mask == TRIMAPS[name]
    return tf.cast(mask, tf.int32) * 2 > tf.cast(tf.reduce_max(mask), tf.int32)


def _box_mask(box, size):
    """Returns the pixels in a box of shares `(ymin, xmin, ymax, xmax)`."""
    rows, columns = (
        (tf.range(size[axis], dtype=tf.float32) + 0.5)
        / tf.cast(size[axis], tf.float32)
        for axis in (0, 1)
    )
    rows = (box[0] <= rows) & (rows < box[2])
    columns = (box[1] <= columns) & (columns < box[3])
    return rows[:, None] & columns[None, :]


def _largest_object(example):
    boxes, labels = example["objects"]["bbox"], example["objects"]["label"]
    # A zero more, for an image without objects.
    boxes = tf.concat([boxes, tf.zeros([1, 4])], axis=0)
    labels = tf.concat([labels, [-1]], axis=0)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    label = labels[tf.argmax(areas)]
    masks = tf.map_fn(
        lambda box: _box_mask(box, _size(example)),
        tf.boolean_mask(boxes, labels == label),
        fn_output_signature=tf.bool,
    )
    return tf.reduce_any(masks, axis=0), label


def _class_numbers(features, class_names, new_names):
    """Returns our number of each of the set's classes, -1 for none."""
    own = features["label"] if "label" in features else features["objects"]
    if not isinstance(own, tfds.features.ClassLabel):
        own = own.feature["label"]
    class_names = own.names if class_names is None else list(class_names)
    number_of = {name: number for number, name in enumerate(class_names)}
    renamed = new_names(list(own.names))
    numbers = [number_of.get(renamed.get(n, n), -1) for n in own.names]
    return np.array([*numbers, -1], "int32")  # The last for no object.


def _example_reader(read_mask, numbers, size, reading):
    """Returns a function from an example to image, label and mask."""

    def fit(pixels, mask):
        if pixels.shape[-1] == 1:
            pixels = pixels.repeat(3, axis=-1)
        shown = Image.fromarray(pixels[..., :3])
        covered = Image.fromarray(mask.astype("uint8"))
        covered = reading.fit(covered, size, Image.Resampling.NEAREST)
        shown = reading.fit(shown, size, BILINEAR)
        return np.asarray(shown), np.asarray(covered) > 0

    @tf.autograph.experimental.do_not_convert
    def read(example):
        mask, label = read_mask(example)
        image, mask = tf.numpy_function(
            fit, [example["image"], mask], (tf.uint8, tf.bool), stateful=False
        )
        # Minus one, no object, counts from the end as it does in NumPy.
        label = tf.gather(numbers, tf.math.floormod(label, len(numbers)))
        image = tf.ensure_shape(image, (*size, 3))
        return image, label, tf.ensure_shape(mask, size)

    return read


def _collect(builder, split, read, size, limit):
    examples = builder.as_dataset(split=split, shuffle_files=False)
    examples = examples.map(read, num_parallel_calls=2, deterministic=True)
    examples = examples.filter(
        lambda image, label, mask: (label >= 0) & tf.reduce_any(mask)
    )
    if limit is not None:
        examples = examples.take(limit)
    parts = list(examples.batch(64).as_numpy_iterator())
    if not parts:
        return AnnotatedImages(
            np.zeros((0, *size, 3), "uint8"),
            np.zeros(0, "int32"),
            np.zeros((0, *size), bool),
        )
    arrays = (np.concatenate(part) for part in zip(*parts, strict=True))
    return without_empty(*arrays)
