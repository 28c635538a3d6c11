"""Ten training steps of many kinds, on the backend of this process.

    KERAS_BACKEND=jax python -m tests.engines.ten_steps figures.npz CASE...

The weights they start from, and the batches, are the same everywhere.
"""

import sys

import keras
import numpy as np

from keras_csg import CSGClassifier
from keras_csg.models.schedules import AlternatingSchedule

CLASSES, FILTERS, SAMPLES, STEPS = 4, 12, 24, 10
OPTIMIZERS = {
    "sgd": lambda **kwargs: keras.optimizers.SGD(
        0.05, momentum=0.9, nesterov=True, weight_decay=5e-3, **kwargs
    ),
    "adamw": lambda **kwargs: keras.optimizers.AdamW(
        1e-3, weight_decay=0.05, **kwargs
    ),
}
CASES = {
    "joint": {},
    "standard": {"gated": False},
    "off-class variance": {"lambda_6": 1.0},
    "adamw": {"optimizer": "adamw"},
    "penalty": {"lambda_2": 0.1},
    "penalty, adamw": {"lambda_2": 0.1, "optimizer": "adamw"},
    "alternating": {"schedule": AlternatingSchedule(1, 2)},
    "alternating penalty": {
        "schedule": AlternatingSchedule(1, 2),
        "lambda_2": 0.1,
    },
    "soft labels, sample weights": {"soft": True, "weighted": True},
    "several classes an image": {"multi_label": True, "weighted": True},
    "running statistics": {"batch_statistics": "running"},
    "slower backbone": {"backbone_rate": 0.1},
    "frozen head": {"frozen": ["head"]},
    "accumulated": {"gradient_accumulation_steps": 2},
    "mixed_bfloat16": {"policy": "mixed_bfloat16"},
    "mixed_float16": {"policy": "mixed_float16"},
}


def classifier(**kwargs):
    images = keras.Input((6, 6, 3))
    maps = keras.layers.Conv2D(8, 3, use_bias=False)(images)
    maps = keras.layers.BatchNormalization()(maps)
    maps = keras.layers.ReLU()(maps)
    maps = keras.layers.Conv2D(FILTERS, 3, use_bias=False)(maps)
    maps = keras.layers.BatchNormalization(momentum=0.7)(maps)
    maps = keras.layers.ReLU()(maps)
    backbone = keras.Model(images, maps)
    return CSGClassifier(
        backbone, CLASSES, filter_dropout=0.0, closing_steps=6, **kwargs
    )


def set_weights(model):
    """Gives weights that hang on nothing but their shapes."""
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if variable.name == "kernel":
            scale = np.sqrt(2 / np.prod(variable.shape[:-1]))
            variable.assign(rng.normal(0, scale, variable.shape))


def batch(rng, soft, weighted, several=False):
    labels = rng.integers(0, CLASSES, SAMPLES)
    images = rng.normal(labels[:, None, None, None], 1, (SAMPLES, 6, 6, 3))
    if soft:
        targets = np.eye(CLASSES, dtype="float32")[labels]
        labels = 0.8 * targets + 0.2 * targets[::-1]
    if several:
        targets = np.eye(CLASSES, dtype="float32")[labels]
        labels = np.maximum(targets, targets[::-1])
    weights = rng.uniform(0.5, 2, SAMPLES) if weighted else np.ones(SAMPLES)
    return images.astype("float32"), labels, weights.astype("float32")


def ten_steps(
    soft=False,
    weighted=False,
    optimizer="sgd",
    policy="float32",
    gradient_accumulation_steps=None,
    **kwargs,
):
    """Returns what came of them, by name."""
    keras.config.set_dtype_policy(policy)
    model = classifier(**kwargs)
    set_weights(model)
    made = OPTIMIZERS[optimizer](
        gradient_accumulation_steps=gradient_accumulation_steps
    )
    if policy == "mixed_float16":
        made = keras.optimizers.LossScaleOptimizer(made)
    model.compile(made)
    rng = np.random.default_rng(1)
    losses = []
    for step in range(STEPS):
        if model.gated and step % 3 == 0:
            model.begin_epoch(step // 3)
        images, labels, weights = batch(rng, soft, weighted, model.multi_label)
        logs = model.train_on_batch(images, labels, weights, return_dict=True)
        losses.append(logs["total_loss"])
    images, labels, weights = batch(rng, soft, weighted, model.multi_label)
    tested = model.test_on_batch(images, labels, weights, return_dict=True)
    found = {
        "losses": np.array(losses),
        "tested": np.array([tested[name] for name in sorted(tested)]),
        "logits": keras.ops.convert_to_numpy(model(images)),
    }
    for number, variable in enumerate(model.variables):
        if keras.backend.is_float_dtype(variable.dtype):
            value = keras.ops.convert_to_numpy(variable)
            found[f"{number} {variable.name}"] = value
    return found


def main(path, cases):
    np.savez(
        path,
        **{
            f"{case}: {name}": value
            for case in cases
            for name, value in ten_steps(**CASES[case]).items()
        },
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or CASES)
