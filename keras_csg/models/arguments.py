from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

import keras

from keras_csg.arguments import (
    FixedArgument,
    real_number,
    weight_of_loss,
    whole_number,
)
from keras_csg.data.image_reading import ImageReading
from keras_csg.layers.gate_budget import default_density
from keras_csg.models.filter_names import FilterNames
from keras_csg.models.schedules import PathWeights
from keras_csg.models.schedules import get as get_schedule

MOST_DROPPED = 0.5
"""Share of the filters that are left out at most where nobody says."""


LAMBDAS = tuple(f"lambda_{number}" for number in range(1, 7))
"""Names of the weights of the losses."""
SAVED = (
    "num_classes",
    "gated",
    "multi_label",
    *LAMBDAS,
    "filter_dropout",
    "density",
    "closing_steps",
    "backbone_rate",
    "batch_statistics",
    "class_names",
    "filter_names",
    "image_reading",
    "frozen",
)
"""Arguments that a classifier's configuration has as they are."""


class ClassifierArguments:
    """Arguments of a classifier: all but names stay as they were given."""

    num_classes: Any = FixedArgument()
    gated: Any = FixedArgument()
    multi_label: Any = FixedArgument()
    lambda_1: Any = FixedArgument()
    lambda_2: Any = FixedArgument()
    lambda_3: Any = FixedArgument()
    lambda_4: Any = FixedArgument()
    lambda_5: Any = FixedArgument()
    lambda_6: Any = FixedArgument()
    filter_dropout: Any = FixedArgument()
    density: Any = FixedArgument()
    filter_names: Any = FilterNames()
    backbone_rate: Any = FixedArgument()
    backbone: Any

    @property
    def schedule(self) -> Callable[[int], PathWeights]:
        """From an epoch to what its paths weigh; can be set, too, by name."""
        return self._schedule

    @schedule.setter
    def schedule(self, schedule: Any) -> None:
        self._schedule = get_schedule(schedule)

    @property
    def filters(self) -> int:
        """Number of filters the gate and the head see."""
        return self.backbone.output_shape[-1]

    @property
    def target_density(self) -> float:
        """The L1-density that the gate is to end at, in `(0, 1]`."""
        if self.density is not None:
            return self.density
        return default_density(self.num_classes, self.filters)

    @property
    def score_names(self) -> list[str]:
        """What training is judged by: a metric of each path, by its name."""
        score = "average_precision" if self.multi_label else "accuracy"
        return [score] + [f"class_specific_{score}"] * self.gated


def checked_weights(
    multi_label: bool, **weights: Any
) -> dict[str, float | None]:
    """Returns the weights of the losses as floats.

    Args:
        multi_label: bool. Whether an image may have several classes.
        **weights: `lambda_1` to `lambda_6`; `lambda_2` may be `None`.

    Raises:
        ValueError: with the first that is no number of at least 0, or has no
            meaning with several classes an image.
    """
    checked = {
        name: None
        if name == "lambda_2" and value is None
        else weight_of_loss(name, value)
        for name, value in weights.items()
    }
    if multi_label and checked["lambda_6"]:
        raise ValueError(
            "`lambda_6` compares images of one class each: leave it out with "
            f"`multi_label`. Received: lambda_6={weights['lambda_6']}"
        )
    return checked


def checked_density(
    density: Any, num_classes: int, lambda_2: float | None
) -> float | None:
    """Returns the share of a gate that may stay open as a float, or `None`.

    Args:
        density: see `CSGClassifier`.
        num_classes: int.
        lambda_2: see `CSGClassifier`.

    Raises:
        ValueError: if it is out of its range.
    """
    if density is None:
        return None
    meaning = "at most 1 and at least 1 / num_classes, one class to each filter"
    number = real_number("density", density, meaning)
    # The penalty may ask for less and never get it.
    least = 0 if lambda_2 is not None else 0.999 / num_classes
    if not max(least, 1e-9) <= number <= 1:
        raise ValueError(
            f"`density` must be {meaning}. Received: density={density}, "
            f"num_classes={num_classes}"
        )
    return number


def checked_dropout(
    filter_dropout: Any, num_classes: int, filters: int
) -> float:
    """Returns the share of the filters that is left out, as a float.

    Args:
        filter_dropout: see `CSGClassifier`.
        num_classes: int.
        filters: int.

    Raises:
        ValueError: if it is out of its range.
    """
    if filter_dropout is None:
        spare = 1 - 2 * num_classes / filters
        return min(max(spare, 0.0), MOST_DROPPED)
    meaning = "at least 0 and below 1"
    number = real_number("filter_dropout", filter_dropout, meaning)
    if not 0 <= number < 1:
        raise ValueError(
            f"`filter_dropout` must be {meaning}. "
            f"Received: filter_dropout={filter_dropout}"
        )
    return number


def checked_steps(closing_steps: Any) -> int | None:
    """Returns the steps in which a gate closes as an int, or `None`.

    Raises:
        ValueError: if they are below 1.
    """
    if closing_steps is None:
        return None
    return whole_number("closing_steps", closing_steps, 1)


def checked_names(
    class_names: Sequence[str | bytes] | None, num_classes: int
) -> list[str] | None:
    """Returns the names of the classes as a list of str, or `None`.

    Args:
        class_names: bytes are read as UTF-8.
        num_classes: int.

    Raises:
        ValueError: if one is no text or there twice, or they are not as many
            as the classes.
    """
    if class_names is None:
        return None
    names = [_text(name) for name in listed_names(class_names)]
    if len(names) != num_classes:
        raise ValueError(
            f"`class_names` must have {num_classes} names. "
            f"Received: {len(names)} names"
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            "`class_names` must name each class once. "
            f"Received: {twice!r} more than once"
        )
    return names


def listed_names(class_names: Iterable[str | bytes]) -> list[Any]:
    """Returns names of classes as a list, unread; of an array, too.

    Raises:
        ValueError: if they are one text, or in no order.
    """
    unordered = isinstance(class_names, str | bytes | Set)
    try:
        if not unordered:
            return list(class_names)
    except TypeError:  # A number, or an array without an axis.
        pass
    raise ValueError(
        "`class_names` must be a list of names. "
        f"Received: class_names={class_names!r}"
    )


def checked_reading(image_reading: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns what `ImageReading` is made of, as a dict of all its arguments.

    Args:
        image_reading: arguments of it by name, or `None`.

    Raises:
        ValueError: if it does not take them.
    """
    try:
        return ImageReading(**(image_reading or {})).to_dict()
    except TypeError:
        raise ValueError(
            "`image_reading` must be arguments of `ImageReading` by name. "
            f"Received: image_reading={image_reading!r}"
        ) from None


def _text(name):
    try:
        if not isinstance(name, str):
            return bytes.decode(name, "utf-8")
        name.encode("utf-8")  # Names of files may hold what no file can.
        return str(name)
    except (TypeError, UnicodeError):
        raise ValueError(
            "`class_names` must be texts that UTF-8 can hold, or bytes of it. "
            f"Received: {name!r} among them"
        ) from None


def check_settings(
    gated: Any, multi_label: Any, dtype: Any, others: dict[str, Any]
) -> None:
    """Refuses what no classifier can be built with, or would not follow.

    Args:
        gated: see `CSGClassifier`.
        multi_label: see there.
        dtype: `None`, or the dict that a configuration has.
        others: arguments by name that nobody asked for.

    Raises:
        ValueError: if `gated` or `multi_label` is no bool, a dtype is asked
            for here, or Keras computes its losses in another one than float32.
        TypeError: if there are other arguments.
    """
    if others:
        raise TypeError(
            "CSGClassifier has no such arguments. "
            f"Received: {', '.join(others)}"
        )
    for name, flag in {"gated": gated, "multi_label": multi_label}.items():
        if not isinstance(flag, bool):
            raise ValueError(
                f"`{name}` must be True or False. Received: {name}={flag!r}"
            )
    if dtype is not None and not isinstance(dtype, dict):
        raise ValueError(
            "`dtype` must be left out: a classifier computes as its layers, "
            "and they as `keras.config.set_dtype_policy` says when they are "
            f"made. Received: dtype={dtype!r}"
        )
    if keras.config.floatx() != "float32":
        raise ValueError(
            "keras-csg needs `keras.config.set_floatx('float32')`, in which "
            "Keras computes the losses. "
            f"Received: floatx={keras.config.floatx()!r}"
        )
