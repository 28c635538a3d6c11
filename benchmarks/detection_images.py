"""Images for `bench_detection`: clean, unknown, attacked, harmless changes."""

import functools
import io

import numpy as np
import tensorflow as tf
from PIL import Image

import keras_csg
from keras_csg.robustness.detection.made_up_images import make_up_images

EPSILONS = (2, 4, 8)
STEPS = 10


def unknown_images(count, data, animals=None):
    """Returns images by the name of what they are, none of a known class."""
    shape = data.image_shape
    test, _ = data.test.images_and_labels(count)
    found = {
        name: make_up_images(name, count, shape, seed=1, images=test)
        for name in ("noise", "colours", "textures", "patches")
    }
    for name in ("digits", "shapes"):
        other = keras_csg.load_data(name, image_size=shape[0])
        found[name], _ = other.train.images_and_labels(count)
    if animals is not None:
        other = keras_csg.load_data(animals, image_size=shape[0])
        found["animals"], _ = other.train.images_and_labels(count)
    return found


def attacked_images(model, images, labels):
    """Yields name and images of each attack; l-infinity, grey levels."""
    for epsilon in EPSILONS:
        yield f"fgsm {epsilon}", attack(model, images, labels, epsilon, 1)
        yield f"pgd {epsilon}", attack(model, images, labels, epsilon, STEPS)


def attack(model, images, labels, epsilon, steps, batch_size=250):
    """Returns images that the model is to get wrong: FGSM, or PGD."""
    rng = tf.random.Generator.from_seed(0)
    found = []
    for start in range(0, len(images), batch_size):
        clean = tf.cast(images[start : start + batch_size], "float32")
        wanted = tf.constant(labels[start : start + batch_size])
        changed = clean
        if steps > 1:
            changed += rng.uniform(clean.shape, -epsilon, epsilon)
        size = epsilon if steps == 1 else 2.5 * epsilon / steps
        for _ in range(steps):
            changed += size * tf.sign(_gradient(model)(changed, wanted))
            changed = tf.clip_by_value(
                changed, clean - epsilon, clean + epsilon
            )
            changed = tf.clip_by_value(changed, 0, 255)
        found.append(changed.numpy())
    return np.concatenate(found)


@functools.lru_cache(maxsize=1)
def _gradient(model):
    @tf.function
    def gradient(images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels, model(images, training=False)
            )
        return tape.gradient(loss, images)

    return gradient


def harmless_images(images):
    """Returns images by the name of a change that leaves what they show."""
    blurred = tf.nn.avg_pool2d(tf.cast(images, "float32"), 2, 1, "SAME")
    return {
        "blur": blurred.numpy(),
        "jpeg 60": np.stack([_jpeg(image, 60) for image in images]),
        "brighter": np.clip(images.astype("float32") * 1.2, 0, 255),
        "darker": images.astype("float32") * 0.8,
        "mirrored": images[:, :, ::-1],
    }


def _jpeg(image, quality):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "jpeg", quality=quality)
    return np.asarray(Image.open(stream))
