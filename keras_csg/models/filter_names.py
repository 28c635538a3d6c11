"""A person's words for filters, such as "striped flank"."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def checked_filter_names(
    filter_names: Mapping[Any, Any] | None, filters: int
) -> dict[int, str]:
    """Returns names of filters as a dict of int and str, in order.

    Args:
        filter_names: mapping from the number of a filter to its name, some or
            all of them; `None` for none. A configuration, which is JSON, has
            numbers as text.
        filters: int. Number of filters.

    Raises:
        ValueError: if it is no mapping, a filter does not exist or is there
            twice, or a name is no text of one line.
    """
    if filter_names is None:
        return {}
    if not isinstance(filter_names, Mapping):
        raise ValueError(
            "`filter_names` must be a dict from a filter's number to its name. "
            f"Received: filter_names={filter_names!r}"
        )
    names: dict[int, str] = {}
    for given, name in filter_names.items():
        number = filter_number(given, filters)
        if number in names:
            raise ValueError(
                "`filter_names` must name each filter once. "
                f"Received: filter {number} more than once"
            )
        names[number] = checked_name(number, name)
    return dict(sorted(names.items()))


def filter_number(given: Any, filters: int) -> int:
    """Returns the number of a filter as an int.

    Args:
        given: int, an integer of NumPy's, or one as text.
        filters: int. Number of filters.

    Raises:
        ValueError: if there is no such filter.
    """
    number = given
    if isinstance(given, str) and given.isascii() and given.isdecimal():
        number = int(given)
    whole = isinstance(number, int | np.integer)
    if not whole or isinstance(number, bool) or not 0 <= number < filters:
        raise ValueError(
            f"There is no filter {number!r}: the network has {filters}, "
            f"0 to {filters - 1}."
        )
    return int(number)


def filter_numbers(
    given: Any, filters: int, names: Mapping[int, str]
) -> np.ndarray:
    """Returns the numbers of filters, each once and ascending.

    Args:
        given: number or name of a filter, or several of them.
        filters: int. Number of filters.
        names: dict from filters' numbers to their names.

    Raises:
        ValueError: if there is no such filter, with the nearest names.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        given = [given]
    numbers = {k for one in given for k in filters_called(one, filters, names)}
    return np.array(sorted(numbers), int)


def filters_called(
    given: Any, filters: int, names: Mapping[int, str]
) -> list[int]:
    """Returns the numbers of the filters that a number or a name means.

    Args:
        given: int, one as text, or a name, which several filters may have.
        filters: int. Number of filters.
        names: dict from filters' numbers to their names.

    Raises:
        ValueError: if there is none, with the nearest names.
    """
    same = [number for number, name in names.items() if name == given]
    if same:
        return same
    try:
        return [filter_number(given, filters)]
    except ValueError as error:
        known = list(dict.fromkeys(names.values()))
        near = difflib.get_close_matches(str(given), known, n=3, cutoff=0)
        if near and isinstance(given, str):
            raise ValueError(
                f"{error} The nearest names are {', '.join(near)}."
            ) from None
        raise


def checked_name(number: int, name: Any) -> str:
    """Returns the name of a filter without blanks around it.

    Args:
        number: int. The filter's.
        name: str.

    Raises:
        ValueError: if it is no text of one line, or has nothing to read.
    """
    text = name.strip() if isinstance(name, str) else ""
    if not text or not text.isprintable():
        raise ValueError(
            "The name of a filter must be a text of one line that is not "
            f"empty. Received: {name!r} for filter {number}"
        )
    return str(text)


def filter_label(model_or_names: Any, number: int) -> str:
    """Returns what pictures, tables and reports call a filter.

    Args:
        model_or_names: `CSGClassifier`, or its `filter_names`.
        number: int. The filter's.

    Returns:
        `"filter 12"`, or `"filter 12 (striped flank)"` where it has a name.

    Example:
        >>> from keras_csg.models.filter_names import filter_label
        >>> filter_label({12: "striped flank"}, 12)
        'filter 12 (striped flank)'
        >>> filter_label({}, 12)
        'filter 12'
    """
    names = model_or_names
    if not isinstance(names, Mapping):
        names = model_or_names.filter_names
    name = names.get(int(number))
    return f"filter {number}" if name is None else f"filter {number} ({name})"


class FilterNames:
    """Attribute that a classifier keeps its filters' names in.

    It gives a copy: names are changed by setting all of them, which checks
    them.
    """

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return dict(instance.__dict__.get("_filter_names", {}))

    def __set__(self, instance, value):
        names = checked_filter_names(value, instance.filters)
        instance.__dict__["_filter_names"] = names
