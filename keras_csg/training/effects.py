"""Refuses options that could not do anything beside the others."""

from typing import Any

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
