from typing import Any

import keras

from keras_csg.training.options import TrainingOptions

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
}


def create_optimizer(
    options: TrainingOptions, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Returns the optimizer that the options describe.

    Weight decay is for the kernels alone: not for biases, nor for the scales
    and offsets of normalisation; the classifier itself keeps it off the gate.

    Args:
        options: `TrainingOptions` without a `None` that matters here.
        steps_per_epoch: int. Steps the optimizer takes in an epoch.
    """
    kwargs = {
        "learning_rate": learning_rate(options, steps_per_epoch),
        "weight_decay": options.weight_decay or None,
    }
    if options.optimizer == "adamw":
        kwargs["weight_decay"] = options.weight_decay
    if options.optimizer == "sgd":
        kwargs |= {
            "momentum": options.momentum,
            "nesterov": options.momentum > 0,
        }
    if options.optimizer == "rmsprop":
        kwargs["momentum"] = options.momentum
    optimizer = OPTIMIZERS[options.optimizer](**kwargs)
    if kwargs["weight_decay"] is not None:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def learning_rate(options: TrainingOptions, steps_per_epoch: int) -> Any:
    """Returns the learning rate as a function of the optimizer's step.

    After a linear warm-up: a cosine down to zero, a tenth after half and after
    three quarters of the epochs, or constant.
    """
    schedules = keras.optimizers.schedules
    rate = options.learning_rate
    total = options.epochs * steps_per_epoch
    warmup = min(options.lr_warmup, options.epochs - 1) * steps_per_epoch
    if options.lr_schedule == "step":
        bounds = [total // 2, total * 3 // 4]
        return schedules.PiecewiseConstantDecay(
            bounds, [rate, rate / 10, rate / 100]
        )
    if options.lr_schedule == "constant":
        return rate
    if not warmup:
        return schedules.CosineDecay(rate, total)
    return schedules.CosineDecay(
        0.0, total - warmup, warmup_target=rate, warmup_steps=warmup
    )
