"""Checks of a description name the field, and never more than a line."""

import dataclasses

import pytest

from keras_csg.untrusted import fields
from keras_csg.untrusted.fields import (
    FieldError,
    check_fields,
    figure,
    flag,
    list_of,
    number,
    one_of,
    optional,
    record,
    required,
    shorten,
    table_of,
    text,
    whole,
)


@dataclasses.dataclass
class Described:
    name: str = required(text)
    sizes: list[int] = required(list_of(whole(1), least=1))
    temperature: float | None = optional(number(least=0))
    several: bool = optional(flag, default=False)
    extra: dict = optional(table_of(text), factory=dict)


GOOD = {"name": "a", "sizes": [1, 2]}


def test_what_is_left_out_has_its_default():
    assert Described(**check_fields(Described, GOOD)) == Described(
        "a", [1, 2], None, False, {}
    )
    found = check_fields(Described, {**GOOD, "temperature": 2, "later": 5})
    assert found == {**GOOD, "temperature": 2.0}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"name": 5}, "`name` must be a text .* Received: 5"),
        ({"sizes": []}, "`sizes` must be a list of at least 1. Received: a li"),
        ({"sizes": [1, "2"]}, r"`sizes\[1\]` must be a whole .* Received: '2'"),
        ({"sizes": [True]}, r"`sizes\[0\]` must be a whole number"),
        ({"sizes": [10**400]}, "a number of many digits"),
        ({"temperature": float("nan")}, "`temperature` must be a finite"),
        ({"temperature": -1}, "`temperature` must be .* at least 0"),
        ({"temperature": 10**400}, "`temperature` must be a finite"),
        ({"several": 1}, "`several` must be true or false. Received: 1"),
        ({"several": None}, "`several` must be true or false"),
        ({"extra": {"a": 1}}, "`extra.a` must be a text"),
        ({"extra": []}, "`extra` must be a table. Received: a list of 0"),
        ({"name": "\x1b[31m" * 10_000}, r"Received: '\\x1b\[31m"),
    ],
)
def test_what_does_not_fit_is_named(change, words):
    with pytest.raises(FieldError, match=words) as raised:
        check_fields(Described, {**GOOD, **change})
    assert len(str(raised.value)) < 300
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("values", [None, [], "text", 5])
def test_what_is_no_table_is_refused(values):
    with pytest.raises(FieldError, match="it must be a table"):
        check_fields(Described, values)


def test_what_is_missing_is_named():
    with pytest.raises(FieldError, match="`sizes` is missing"):
        check_fields(Described, {"name": "a"})


def test_a_table_within_has_names_of_its_own():
    check = record({"dtype": one_of("float32", 1)}, {"side": whole()})
    value = {"dtype": "float32", "more": "stays"}
    assert check(value, "input") == value
    with pytest.raises(FieldError, match="`input.dtype` must be one of float"):
        check({"dtype": "int64"}, "input")
    with pytest.raises(FieldError, match="`input.dtype` must be one of"):
        check({"dtype": True}, "input")  # It is equal to one.
    with pytest.raises(FieldError, match="`input.side` must be"):
        check({"dtype": 1, "side": -1}, "input")


def test_figures_are_finite_however_deep():
    value = {"a": [1, None, {"b": [0.5]}], "c": "x"}
    assert figure(value, "it") == value
    for bad in (float("inf"), float("nan"), 10**400):
        with pytest.raises(FieldError, match="`it` must be finite numbers"):
            figure({"a": [[bad]]}, "it")


def test_values_are_shown_short():
    assert shorten("a\nb") == "a\\nb"
    assert len(shorten("ä" * 1000)) == fields.MOST_LETTERS
    assert shorten([0] * 1000) == "a list of 1,000"
    assert shorten(10**1000) == "a number of many digits"
