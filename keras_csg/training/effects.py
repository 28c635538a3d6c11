"""Refuses options that could not do anything beside the others."""

from collections.abc import Iterable
from typing import Any

import keras

from keras_csg.training.options import TrainingOptions

GATE_OPTIONS = (
    "gate_schedule",
    "gate_warmup",
    "gate_period",
    "lambda_1",
    "lambda_2",
    "lambda_3",
    "lambda_4",
    "lambda_5",
    "lambda_6",
    "filter_dropout",
    "density",
)
RATE_SETTERS = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)


def check_effects(given: dict[str, Any], options: TrainingOptions) -> None:
    """Refuses what somebody asked for and would not get.

    Not in `TrainingOptions` itself: a run's `config.json` has the values of
    all options, also of those without effect.

    Args:
        given: options by name, as they were asked for.
        options: `TrainingOptions`, all of them.

    Raises:
        ValueError: with the first that differs from its default and that
            others leave without effect.
    """
    if "lr_warmup" in given and options.epochs:
        _check_warmup(options)
    for names, cause in _without_effect(options):
        for name in names:
            default = getattr(TrainingOptions, name)
            if name in given and getattr(options, name) != default:
                raise ValueError(
                    f"`{name}` has no effect with {cause}: leave one of them "
                    f"out. Received: {name}={given[name]!r}"
                )


def check_filled_in(asked: TrainingOptions, options: TrainingOptions) -> None:
    """Refuses a warm-up as long as the epochs that nobody asked for.

    Args:
        asked: `TrainingOptions`, before recipes filled them in.
        options: `TrainingOptions` as they are then.

    Raises:
        ValueError: naming both.
    """
    if asked.epochs is None and asked.lr_warmup is not None:
        _check_warmup(options)


def check_rate_is_free(
    callbacks: Iterable[keras.callbacks.Callback], options: TrainingOptions
) -> None:
    """Refuses callbacks that set a learning rate which a schedule sets.

    Keras would do so when they first do, perhaps after many epochs.

    Args:
        callbacks: `keras.callbacks.Callback`s.
        options: `TrainingOptions`, before recipes fill them in.

    Raises:
        ValueError: naming the first.
    """
    if options.lr_schedule == "constant" and options.lr_warmup == 0:
        return
    for callback in callbacks:
        if isinstance(callback, RATE_SETTERS):
            raise ValueError(
                f"`{type(callback).__name__}` sets the learning rate, which "
                'has a schedule: give `lr_schedule="constant"` and '
                "`lr_warmup=0` with it. Received: lr_schedule="
                f"{options.lr_schedule!r}, lr_warmup={options.lr_warmup}"
            )


def _check_warmup(options):
    warmup, epochs = options.lr_warmup, options.epochs
    if (warmup or 0) >= epochs:
        raise ValueError(
            "`lr_warmup` must be less than the `epochs`. Received: "
            f"lr_warmup={warmup}, epochs={epochs}"
        )


def _without_effect(options):
    """Yields names of options, and what leaves them without effect."""
    if options.standard:
        yield GATE_OPTIONS, "`standard`, a network without a gate"
    elif options.gate_schedule != "alternating":
        cause = f"the {options.gate_schedule} `gate_schedule`"
        yield ["gate_period"], cause
    if options.lambda_3 == 0 and options.filter_dropout:
        yield ["filter_dropout"], "a `lambda_3` of 0, whose loss it is for"
    if options.head_epochs == 0:
        yield ["head_learning_rate"], "no `head_epochs`"
    if options.freeze == "all":
        yield ["backbone_rate"], "`freeze` of all the backbone"
    if options.freeze in ("all", "statistics"):
        yield ["bn_momentum"], f"`freeze` {options.freeze}"
    if options.optimizer in ("adam", "adamw"):
        yield ["momentum"], f"`optimizer` {options.optimizer}"
