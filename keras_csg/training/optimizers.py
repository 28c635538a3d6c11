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
        "global_clipnorm": options.clip_norm,
    }
    if options.ema is not None:
        momentum = ema_momentum(options, steps_per_epoch)
        kwargs |= {"use_ema": True, "ema_momentum": momentum}
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


def ema_momentum(options: TrainingOptions, steps_per_epoch: int) -> float:
    """Returns the momentum of averages, at most what the steps allow.

    The average is to reach back over a tenth of the steps at most, so that
    what the first of them left counts for next to nothing.

    Args:
        options: `TrainingOptions` with `ema`.
        steps_per_epoch: int. Steps that the optimizer takes in an epoch.
    """
    steps = (options.epochs or 1) * steps_per_epoch
    return min(options.ema or 0.0, max(1 - 10 / steps, 0.5))


def shortened_average(options: TrainingOptions, steps_per_epoch: int) -> str:
    """Returns a line if averages reach back less far than was asked for.

    Args:
        options: `TrainingOptions` without a `None` that matters here.
        steps_per_epoch: int. Steps that the optimizer takes in an epoch.
    """
    if options.ema is None:
        return ""
    momentum = ema_momentum(options, steps_per_epoch)
    if momentum == options.ema:
        return ""
    return (
        f"Averages of weights: momentum {momentum:.4g}, not {options.ema:g}, "
        f"for {(options.epochs or 1) * steps_per_epoch:,} steps"
    )


def learning_rate(options: TrainingOptions, steps_per_epoch: int) -> Any:
    """Returns the learning rate as a function of the optimizer's step.

    A cosine down to zero, a tenth after half and after three quarters of the
    epochs, or constant; in the first `lr_warmup` epochs less, growing linearly
    from zero.
    """
    schedules = keras.optimizers.schedules
    rate = options.learning_rate
    total = options.epochs * steps_per_epoch
    warmup = min(options.lr_warmup, options.epochs - 1) * steps_per_epoch
    if options.lr_schedule == "step":
        steps = schedules.PiecewiseConstantDecay(
            [total // 2, total * 3 // 4], [rate, rate / 10, rate / 100]
        )
        return WarmUp(steps, warmup) if warmup else steps
    if options.lr_schedule == "constant":
        # A cosine that ends where it starts, for the sake of its warm-up.
        return _cosine(rate, 1, warmup, alpha=1.0) if warmup else rate
    return _cosine(rate, total - warmup, warmup)


def _cosine(rate, steps, warmup, **kwargs):
    cosine = keras.optimizers.schedules.CosineDecay
    if not warmup:
        return cosine(rate, steps, **kwargs)
    return cosine(0.0, steps, warmup_target=rate, warmup_steps=warmup, **kwargs)


@keras.saving.register_keras_serializable(package="keras_csg")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule whose first steps grow linearly from zero.

    Args:
        schedule: `keras.optimizers.schedules.LearningRateSchedule`.
        steps: int, at least 1. Number of those steps.
    """

    def __init__(
        self,
        schedule: keras.optimizers.schedules.LearningRateSchedule,
        steps: int,
    ):
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step):
        """Returns the learning rate of a step, from 0."""
        grown = keras.ops.cast(step, "float32") / self.steps
        return keras.ops.minimum(grown, 1.0) * self.schedule(step)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        """Builds the schedule that `get_config` described."""
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"])
