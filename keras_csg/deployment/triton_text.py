"""Reads `config.pbtxt`, to tell whether one that is kept fits a new model."""

import pathlib
import re
from typing import Any

# Strings, numbers and words, and the signs of protobuf's text format.
TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<token>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
    r"""|[-+.\w]+|[{}\[\]<>:,;])"""
)


def require_fitting_config(kept: pathlib.Path, written: str) -> None:
    """Refuses a configuration whose tensors are not those of a model.

    Args:
        kept: path of the `config.pbtxt` that stays.
        written: str, the text that would be written for the model.

    Raises:
        ValueError: if they do not fit, with the way out.
    """
    fault = _fault(kept, written)
    if fault:
        raise ValueError(
            f"{kept} is kept as it is, and does not fit the new model: "
            f"{fault}. Change it, move it away to have it written anew, or "
            "choose another `name` (`--name`)."
        )


def _fault(kept, written):
    """Returns what does not fit, in words; `None` if all does."""
    try:
        own = parse_text(kept.read_text("utf-8"))
    except (ValueError, OSError) as error:
        return f"it cannot be read ({error})"
    new = parse_text(written)
    for field in ("platform", "name"):
        values = own.get(field, []), new[field]
        if values[0] and values[0] != values[1]:
            return f"its {field} is {values[0][0]!r}, not {values[1][0]!r}"
    for kind in ("input", "output"):
        tensors, there = _tensors(own, kind), _tensors(new, kind)
        for name, tensor in tensors.items():
            if name not in there:
                return f"the model has no {kind} {name!r}"
            if not _alike(tensor, there[name]):
                return f"{kind} {name!r} has another type or another shape"
        missing = sorted(set(there) - set(tensors))
        if kind == "input" and tensors and missing:
            return f"it lacks the input {missing[0]!r}"
    return None


def parse_text(text: str) -> dict[str, list[Any]]:
    """Reads protobuf's text format without its schema.

    Args:
        text: str.

    Returns:
        dict from the names of fields to lists of their values: str, without
        quotation marks, or dicts of this form.

    Raises:
        ValueError: if the text is something else.
    """
    tokens, place = [], 0
    while place < len(text):
        found = TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"there is a strange {text[place]!r}")
        if found["token"]:
            tokens.append(found["token"])
        place = found.end()
    fields, end = _fields(tokens, 0)
    if end != len(tokens):
        raise ValueError(f"there is a strange {tokens[end]!r}")
    return fields


def _fields(tokens, place):
    """Returns the fields from a place on, and where they end."""
    fields: dict[str, list] = {}
    while place < len(tokens) and tokens[place] not in ("}", ">"):
        name = tokens[place]
        values, place = _values(tokens, place + 1)
        fields.setdefault(name, []).extend(values)
        while place < len(tokens) and tokens[place] in (",", ";"):
            place += 1
    return fields, place


def _values(tokens, place):
    if _at(tokens, place) == ":":
        place += 1
    if _at(tokens, place) != "[":
        value, place = _value(tokens, place)
        return [value], place
    values = []
    place += 1
    while _at(tokens, place) != "]":
        value, place = _value(tokens, place)
        values.append(value)
        if _at(tokens, place) == ",":
            place += 1
    return values, place + 1


def _value(tokens, place):
    token = _at(tokens, place)
    if token in ("{", "<"):
        fields, end = _fields(tokens, place + 1)
        _at(tokens, end)
        return fields, end + 1
    if token in ("}", ">", "]", ":", ","):
        raise ValueError(f"there is a strange {token!r}")
    if token[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", token[1:-1]), place + 1
    return token, place + 1


def _at(tokens, place):
    if place >= len(tokens):
        raise ValueError("it ends too early")
    return tokens[place]


def _tensors(config, kind):
    found = config.get(kind, [])
    return {x["name"][0]: x for x in found if isinstance(x, dict)}


def _alike(tensor, other):
    """Whether a tensor is of the type and the shape of another one."""
    if tensor.get("data_type") != other.get("data_type"):
        return False
    dims, others = tensor.get("dims", []), other.get("dims", [])
    return len(dims) == len(others) and all(
        mine in ("-1", its) or its == "-1"
        for mine, its in zip(dims, others, strict=True)
    )
