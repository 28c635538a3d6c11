import keras
import tensorflow as tf

from keras_csg.choices import AUGMENTATIONS
from keras_csg.data.augmentation.batch_crops import LEAST_AREA, crop_and_flip
from keras_csg.data.augmentation.keyed_layer import KeyedLayer
from keras_csg.data.augmentation.rand_augment import SwitchedRandAugment
from keras_csg.data.augmentation.random_keys import fold_in

# Not `AugMix`: it draws its operations with Python's `random` while the graph
# is traced, so they stay the same in every batch and differ between processes.
IMAGE_LAYERS = {
    "rand_augment": SwitchedRandAugment,
    "random_erasing": keras.layers.RandomErasing,
}
CROPS = ("crop", "crop_flip")
MIXING_LAYERS = {
    "mixup": keras.layers.MixUp,
    "cutmix": keras.layers.CutMix,
}


class Augmentation:
    """Random changes to a batch, a pure function of the batch and a key.

    `crop` and `flip` keep images uint8; the Keras layers, with their default
    settings, make them float32 in 0..255. Crops come first, then the image
    layers in the order named, then `mixup` or `cutmix`, which turn labels into
    float32 of shape `(batch, num_classes)`. Of both, each batch gets one.

    Args:
        names: str. One of `AUGMENTATIONS` or several of them, separated by
            commas. `crop:0.6` and `crop_flip:0.6` keep at least that share of
            the area of images above 64 pixels, instead of 0.25.
        num_classes: int. Number of classes, for the labels of mixed images.

    Call arguments:
        images: uint8 tensor of shape `(batch, height, width, 3)`.
        labels: int32 tensor of shape `(batch,)`, or float32 of shape
            `(batch, num_classes)`.
        key: int32 tensor of shape `(2,)`.
        place: where the images are in a batch of which they are a part, int32
            `(first, size)`; `None` for all of it. Crops and flips are those of
            the whole batch; layers draw for the part.
    """

    def __init__(self, names: str, num_classes: int):
        parts, self.area = _parse(names)
        self.num_classes = num_classes
        self.crop = "crop" in parts or "crop_flip" in parts
        self.flip = "flip" in parts or "crop_flip" in parts
        self.image_layers = _layers(parts, IMAGE_LAYERS)
        self.mixing_layers = _layers(parts, MIXING_LAYERS)

    def __call__(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        key: tf.Tensor,
        place: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the changed images and labels."""
        if self.crop or self.flip:
            images = crop_and_flip(
                images, fold_in(key, 0), self.crop, self.flip, self.area, place
            )
        for number, layer in enumerate(self.image_layers):
            images = layer(images, _own_key(fold_in(key, 1 + number), place))
        if not self.mixing_layers:
            return images, labels
        if len(labels.shape) == 1:
            labels = tf.one_hot(labels, self.num_classes)
        mixing = {"images": tf.cast(images, tf.float32), "labels": labels}
        mixed = self._mix(mixing, fold_in(key, -1), place)
        return mixed["images"], mixed["labels"]

    def _mix(self, batch, key, place):
        layers, own = self.mixing_layers, _own_key(key, place)
        if len(layers) == 1:
            return layers[0](batch, own)
        return tf.cond(
            tf.random.stateless_uniform([], fold_in(key, 0)) < 0.5,
            lambda: layers[0](batch, own),
            lambda: layers[1](batch, own),
        )


def _own_key(key, place):
    """Returns another key for each part of a batch."""
    return key if place is None else fold_in(key, place[0])


def _parse(names):
    """Returns the names and the least area of a crop."""
    parts, area = [], LEAST_AREA
    for part in names.split(","):
        name, colon, number = part.strip().partition(":")
        if name not in AUGMENTATIONS or (colon and name not in CROPS):
            raise ValueError(
                f"Augmentation is made of {', '.join(AUGMENTATIONS)}, where "
                "crop and crop_flip may have a share of the area behind a "
                f"colon. Received: {names!r}"
            )
        parts.append(name)
        if colon:
            area = _area(number, names)
    if ":" in names and sum(part in CROPS for part in parts) > 1:
        raise ValueError(
            "Augmentation has one crop, of one share of the area. "
            f"Received: {names!r}"
        )
    if len(set(parts)) < len(parts) or ("none" in parts and len(parts) > 1):
        raise ValueError(
            "Augmentation names each part once, and none by itself. "
            f"Received: {names!r}"
        )
    return parts, area


def _area(number, names):
    try:
        area = float(number)
    except ValueError:
        area = 0.0
    if not 0 < area <= 1:
        raise ValueError(
            "A crop's share of the area must be above 0 and at most 1. "
            f"Received: {names!r}"
        )
    return area


def _layers(parts, known):
    # float32 whatever the policy: pixels have no room in bfloat16.
    return [
        KeyedLayer(known[part](dtype="float32"))
        for part in dict.fromkeys(parts)
        if part in known
    ]
