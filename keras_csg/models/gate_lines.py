"""What a user should know of a gate, each in one line."""

import warnings
from typing import Any

import numpy as np
from keras import ops

from keras_csg.backbones.freezing import ADDED_CONVOLUTION, rests
from keras_csg.layers.gate_budget import CLOSING_STEPS
from keras_csg.models.schedules import weights_at

TOLERANCE = 1.02
"""By how much a gate may miss its density before somebody is told."""


def scarce_filters(model: Any) -> str | None:
    """Says if there are fewer filters than classes.

    Args:
        model: `CSGClassifier` with a gate.

    Returns:
        The line, or `None` if there are enough.
    """
    if model.filters >= model.num_classes:
        return None
    return (
        f"There are {model.filters} filters for {model.num_classes} classes: "
        "some answer for several. `filters` puts more before the gate."
    )


def resting_filters(model: Any) -> str | None:
    """Says if no filter in front of the gate trains.

    Args:
        model: `CSGClassifier` with a gate.

    Returns:
        The line, or `None` if some do.
    """
    names = [layer.name for layer in model.backbone.layers]
    if ADDED_CONVOLUTION in names or not rests(model.backbone):
        return None
    return (
        "The whole backbone rests: its filters cannot become class-specific. "
        "`filters` adds some that can."
    )


def missed_density(
    model: Any, *, trained: bool = True, closed: bool = False
) -> str | None:
    """Says in one line that a trained gate is not as sparse as asked.

    Args:
        model: `CSGClassifier` with a gate.
        trained: bool. Whether any epoch trained the gated path.
        closed: bool. Whether the gate was closed after some epoch.

    Returns:
        The line, or `None` if the gate is, or rests by somebody's will.
    """
    if not (model.gate.trainable and model.trainable):
        return None
    target = model.target_density
    density = float(ops.convert_to_numpy(model.gate.l1_density()))
    if density <= TOLERANCE * target:
        return None
    return (
        f"The gate ended at a density of {density:.4f}, not at {target:.4f}: "
        f"{_reason(model, trained, closed)}."
    )


def _reason(model, trained, closed):
    if not np.all(np.isfinite(ops.convert_to_numpy(model.head.kernel))):
        return "the weights are not finite any more; take a smaller rate"
    if not trained:
        return (
            "no epoch trained the gated path; give more epochs or a shorter "
            "warm-up"
        )
    if closed and model.gate_budget and not model.gate_budget.is_closed:
        return (
            "the weights are those of an epoch before it closed; a callback "
            "that restores the best ones is to start after it "
            "(`start_from_epoch`)"
        )
    if model.gate_budget is None:
        return "`lambda_2` pulled too little for this optimizer, rate and time"
    if model.gate_budget.is_closed:
        return "every filter keeps a class, and every class a filter"
    return (
        "training ended before it closed; give more epochs with the gated "
        "path or fewer `closing_steps`"
    )


def warn_of_unplanned(model: Any) -> None:
    """Says once what training batch by batch cannot know by itself.

    Args:
        model: `CSGClassifier` with a gate.
    """
    if getattr(model, "_told_of_plan", False):
        return
    model._told_of_plan = True
    if weights_at(model.schedule, 0).gated == 0 and not model.epochs_trained:
        warnings.warn(
            "`train_on_batch` knows of no epochs, and this schedule's first "
            "do not train the gate: call `model.begin_epoch(epoch)` at the "
            "start of each.",
            stacklevel=3,
        )
    budget = model.gate_budget
    if budget is None or budget.is_planned:
        return
    if model.closing_steps is not None:
        budget.plan(model.closing_steps)
        return
    warnings.warn(
        f"The gate closes in {CLOSING_STEPS} steps, as `train_on_batch` does "
        "not know how many there are; say so by `closing_steps`.",
        stacklevel=3,
    )
