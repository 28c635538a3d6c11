"""Images for `bench_detection`: clean, unknown, attacked, harmlessly changed.

Each set is a name and what makes it, so that none is made for nothing.
"""

import functools

import numpy as np

import keras_csg
from keras_csg.robustness import corrupt, create_attack
from keras_csg.robustness.detection import MADE_UP, make_up_images
from keras_csg.training.held_out import load_held_out

EPSILONS = (2, 4, 8)
ATTACKS = ("fgsm", "pgd")
HARMLESS = {
    "blur": ("gaussian_blur", 1),
    "jpeg": ("jpeg", 1),
    "brightness 1": ("brightness", 1),
    "brightness 3": ("brightness", 3),
    "contrast": ("contrast", 1),
}
FITTED_ON = 5000
"""Training images that statistics are learned from, and of validation."""
SEED_OF_TEST, SEED_OF_FIT = 1, 7


def image_sets(model, run, data, count, animals, near):
    """Returns dict from names of sets to what makes their images."""
    test = functools.cache(lambda: data.test.images_and_labels(count))
    held_back = functools.cache(
        lambda: data.validation.images_and_labels(FITTED_ON)
    )
    shape = data.image_shape
    sets = {
        "fit": lambda: data.train.images_and_labels(FITTED_ON)[0],
        "validation": lambda: held_back()[0],
        "test": lambda: test()[0],
        "harmless/mirrored": lambda: test()[0][:, :, ::-1],
    }
    for kind in MADE_UP:
        sets[f"made up/{kind}"] = _made_up(
            kind, count, shape, SEED_OF_FIT, held_back
        )
    for kind in [kind for kind in MADE_UP if kind != "shapes"]:
        sets[f"unknown/{kind}"] = _made_up(
            kind, count, shape, SEED_OF_TEST, test
        )
    for name in ("digits", "shapes"):
        sets[f"unknown/{name}"] = _other_data(name, shape, count)
    if animals:
        sets["unknown/animals"] = _other_data(animals, shape, count)
    if near:
        sets["near/held out"] = lambda: load_held_out(run, count)
    for name, (kind, level) in HARMLESS.items():
        sets[f"harmless/{name}"] = functools.partial(
            lambda kind, level: corrupt(test()[0], kind, level), kind, level
        )
    for method in ATTACKS:
        make = functools.cache(
            functools.partial(create_attack, model, method, norm="linf")
        )
        for epsilon in EPSILONS:
            name = f"{method} {epsilon}"
            sets[f"attack/{name}"] = _attacked(make, epsilon, test, count)
            # Made only where a score is trained on it.
            sets[f"fit attack/{name}"] = _attacked(
                make, epsilon, held_back, count
            )
    return sets


def _made_up(kind, count, shape, seed, images):
    return lambda: make_up_images(kind, count, shape, seed, images()[0])


def _other_data(name, shape, count):
    return lambda: keras_csg.load_data(
        name, image_size=shape[:2]
    ).train.images_and_labels(count)[0]


def _attacked(make, epsilon, images_and_labels, count, batch=250):
    def attacked():
        images, labels = (part[:count] for part in images_and_labels())
        return np.concatenate(
            [
                make()(
                    images[start : start + batch],
                    labels[start : start + batch],
                    epsilon / 255,
                    numbers=np.arange(len(images))[start : start + batch],
                ).images
                for start in range(0, len(images), batch)
            ]
        )

    return attacked
