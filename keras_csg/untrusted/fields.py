"""What the fields of a description may hold: checks that name the field.

A check is a callable that takes a value and its field's name, and returns the
value or raises `FieldError`. In a dataclass a field says its check beside its
type, so that a new one is one line:

    temperature: float | None = optional(number(least=0))
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], Any]
CHECK = "check"
"""Where a dataclass's field keeps its check, in its `metadata`."""
MOST_LETTERS = 80
MOST_FIGURE = 1e300
MOST_NAME = 10_000
"""Letters of one text."""


class FieldError(ValueError):
    """A field holds something else than it must."""


def required(check: Check) -> Any:
    """Returns a dataclass's field that has to be there."""
    return dataclasses.field(metadata={CHECK: check})


def optional(
    check: Check, default: Any = None, factory: Callable | None = None
) -> Any:
    """Returns a dataclass's field that may be left out, or be `None`.

    Args:
        check: what holds of it where it is there.
        default: its value where it is not.
        factory: callable that makes that value, instead.
    """
    metadata = {CHECK: or_none(check) if default is None else check}
    if factory is not None:
        return dataclasses.field(
            default_factory=factory, metadata={CHECK: check}
        )
    return dataclasses.field(default=default, metadata=metadata)


def check_fields(kind: type, values: Any, whole: str = "it") -> dict[str, Any]:
    """Returns the values of a dataclass's fields, each as its check has it.

    What it has no field for is passed over: a later version may have written
    it.

    Args:
        kind: dataclass, whose fields have checks.
        values: what was read.
        whole: str. What to call it as a whole.

    Raises:
        FieldError: naming the field.
    """
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    return _checked(
        values,
        {name: field.metadata.get(CHECK) for name, field in fields.items()},
        {name for name, field in fields.items() if _has_no_default(field)},
        whole,
    )


def record(needed: Mapping[str, Check], besides: Mapping[str, Check]) -> Check:
    """Returns a check of a table with fields of its own; others stay."""

    def check(value: Any, name: str) -> dict[str, Any]:
        checks = {**needed, **besides}
        found = _checked(value, checks, set(needed), f"`{name}`", f"{name}.")
        return {**value, **found}

    return check


def text(value: Any, name: str) -> str:
    """Returns a text of a usual length."""
    if not isinstance(value, str) or len(value) > MOST_NAME:
        raise _wrong(name, f"a text of at most {MOST_NAME:,} letters", value)
    return value


def flag(value: Any, name: str) -> bool:
    """Returns true or false."""
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def anything(value: Any, name: str) -> Any:
    """Returns whatever it is."""
    return value


def figure(value: Any, name: str) -> Any:
    """Returns a number, a text, null, or a list or a table of such.

    Whatever they are nested in, numbers are finite.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list | dict):
            waiting += one.values() if isinstance(one, dict) else one
        elif isinstance(one, int | float) and not abs(one) < MOST_FIGURE:
            raise _wrong(name, "finite numbers", one)
    return value


def whole(least: int = 0, most: int = 2**63 - 1) -> Check:
    """Returns a check of a whole number."""

    def check(value, name):
        number = isinstance(value, int) and not isinstance(value, bool)
        if not number or not least <= value <= most:
            above = "" if most > 2**60 else f" and at most {most}"
            wanted = f"a whole number of at least {least}{above}"
            raise _wrong(name, wanted, value)
        return value

    return check


def number(least: float = -math.inf, most: float = math.inf) -> Check:
    """Returns a check of a finite number, which stays as it was written."""
    wanted = "a finite number"
    if least > -math.inf:
        wanted += f" of at least {least}"
    if most < math.inf:
        wanted += f" and at most {most}"

    def check(value, name):
        known = isinstance(value, int | float) and not isinstance(value, bool)
        # Of a whole number of many digits no float can be made.
        if (
            not known
            or not abs(value) < MOST_FIGURE
            or not least <= value <= most
        ):
            raise _wrong(name, wanted, value)
        return value

    return check


def one_of(*choices: Any) -> Check:
    """Returns a check of a value out of a few."""

    def check(value, name):
        if not any(
            value == one and type(value) is type(one) for one in choices
        ):
            listed = ", ".join(map(str, choices))
            raise _wrong(name, f"one of {listed}", value)
        return value

    return check


def list_of(check: Check, least: int = 0, most: int | None = None) -> Check:
    """Returns a check of a list whose entries pass another."""
    bounds = f" of at least {least}" if least else ""
    if most is not None:
        bounds = f" of {least}" if least == most else f" of {least} to {most}"

    def check_list(value, name):
        fits = isinstance(value, list | tuple) and len(value) >= least
        if not fits or (most is not None and len(value) > most):
            raise _wrong(name, f"a list{bounds}", value)
        return [check(one, f"{name}[{i}]") for i, one in enumerate(value)]

    return check_list


def table_of(check: Check, least: int = 0) -> Check:
    """Returns a check of a table whose values pass another."""

    def check_table(value, name):
        if not isinstance(value, dict) or len(value) < least:
            more = f" of at least {least}" if least else ""
            raise _wrong(name, f"a table{more}", value)
        return {
            text(key, name): check(one, f"{name}.{shorten(key)}")
            for key, one in value.items()
        }

    return check_table


def or_none(check: Check) -> Check:
    """Returns a check that lets null pass, too."""
    return lambda value, name: None if value is None else check(value, name)


def shorten(value: Any, most: int = MOST_LETTERS) -> str:
    """Returns a value as it may stand in a message: short and on one line."""
    if isinstance(value, list | tuple):
        return f"a list of {len(value):,}"
    if isinstance(value, dict):
        return f"a table of {len(value):,}"
    if isinstance(value, int) and abs(value) >= 10**most:
        return "a number of many digits"
    if isinstance(value, str):
        inside = ascii(value[:most])[1:-1]
        return inside if len(inside) <= most else f"{inside[: most - 3]}..."
    return ascii(value)[:most]


def _checked(values, checks, needed, whole, prefix=""):
    if not isinstance(values, dict):
        raise FieldError(f"{whole} must be a table. Received: {_said(values)}")
    for name in needed:
        if name not in values:
            raise FieldError(f"`{prefix}{name}` is missing")
    return {
        name: check(values[name], f"{prefix}{name}") if check else values[name]
        for name, check in checks.items()
        if name in values
    }


def _has_no_default(field):
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _wrong(name, wanted, value):
    return FieldError(f"`{name}` must be {wanted}. Received: {_said(value)}")


def _said(value):
    # Not once more by `repr`: what is odd is written out already.
    return f"'{shorten(value)}'" if isinstance(value, str) else shorten(value)
