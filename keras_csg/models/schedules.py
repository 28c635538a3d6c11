"""Which path an epoch trains: pure functions of the epoch, no model needed."""

import json
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from keras_csg.arguments import weight_of_loss, whole_number


class PathWeights(NamedTuple):
    """Weights of the two paths' losses in one epoch.

    In an epoch in which `gated` is 0 the gate does not move.
    """

    standard: float
    gated: float


class Schedule:
    """Base of the schedules: a callable from an epoch to `PathWeights`."""

    def __call__(self, epoch: int) -> PathWeights:
        """Returns the weights of both paths in `epoch`, from 0."""
        raise NotImplementedError

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict) -> "Schedule":
        """Builds the schedule that `get_config` described."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_csg")
class JointSchedule(Schedule):
    """Trains both paths in every step, after `warmup` standard epochs.

    Args:
        warmup: int, at least 0. First epochs, on the standard path alone.
    """

    def __init__(self, warmup: int = 0):
        self.warmup = whole_number("warmup", warmup, 0)

    def __call__(self, epoch: int) -> PathWeights:
        """Returns the weights of both paths in `epoch`, from 0."""
        return PathWeights(1.0, float(epoch >= self.warmup))


@keras.saving.register_keras_serializable(package="keras_csg")
class AlternatingSchedule(Schedule):
    """The paper's schedule: one gated epoch in each period, the rest standard.

    Args:
        warmup: int, at least 0. First epochs, on the standard path alone.
        period: int, at least 2. Length of a period; its first epoch trains the
            gated path alone, the others the standard path alone.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), algorithm 1
    """

    def __init__(self, warmup: int = 3, period: int = 3):
        self.warmup = whole_number("warmup", warmup, 0)
        self.period = whole_number("period", period, 2)

    def __call__(self, epoch: int) -> PathWeights:
        """Returns the weights of both paths in `epoch`, from 0."""
        since = epoch - self.warmup
        if since >= 0 and since % self.period == 0:
            return PathWeights(0.0, 1.0)
        return PathWeights(1.0, 0.0)


SCHEDULES = {"joint": JointSchedule, "alternating": AlternatingSchedule}


def get(identifier: Any) -> Callable[[int], PathWeights]:
    """Returns the schedule that `identifier` names or is.

    Args:
        identifier: `"joint"`, `"alternating"`, the serialised form of a
            schedule, or a callable from an epoch to `PathWeights` that Keras
            can save and load.

    Raises:
        ValueError: if it is none of these.
    """
    if isinstance(identifier, str) and identifier in SCHEDULES:
        return SCHEDULES[identifier]()
    if isinstance(identifier, dict) and "class_name" in identifier:
        return keras.saving.deserialize_keras_object(identifier)
    if callable(identifier):
        _check_can_be_saved(identifier)
        return identifier
    raise ValueError(
        f"`schedule` must be one of {', '.join(map(repr, SCHEDULES))} or a "
        "callable from an epoch to its path weights. "
        f"Received: schedule={identifier!r}"
    )


def weights_at(
    schedule: Callable[[int], PathWeights], epoch: int
) -> PathWeights:
    """Returns the weights of an epoch as floats.

    Args:
        schedule: callable from an epoch to `PathWeights`.
        epoch: int, from 0.

    Raises:
        ValueError: if they are not two numbers of at least 0.
    """
    given = schedule(epoch)
    try:
        standard, gated = given
        return PathWeights(
            weight_of_loss("standard", standard),
            weight_of_loss("gated", gated),
        )
    except (TypeError, ValueError):
        raise ValueError(
            "A schedule must give two weights of at least 0, those of the "
            f"standard and of the gated path. Received: {given!r} "
            f"of epoch {epoch}"
        ) from None


def _check_can_be_saved(schedule):
    """Saves and loads a schedule: later it would cost a trained model."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's, of lambdas.
            config = keras.saving.serialize_keras_object(schedule)
        json.dumps(config)
        saved = callable(keras.saving.deserialize_keras_object(config))
    except Exception:  # Whatever a strange object's own methods raise.
        saved = False
    if not saved:
        raise ValueError(
            "`schedule` must be one that a saved model can be loaded with: a "
            "subclass of `keras_csg.models.schedules.Schedule`, decorated with "
            "`keras.saving.register_keras_serializable()`; for one training, "
            "a `GateScheduler` among the callbacks takes any callable. "
            f"Received: schedule={schedule!r}"
        )
