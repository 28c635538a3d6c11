"""What the metadata of an exported model may hold: more than one field says."""

import base64
import collections
import math
import re
import zlib
from typing import Any

import numpy as np

from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.data.image_steps import preprocessing_steps
from keras_csg.untrusted.fields import (
    FieldError,
    anything,
    flag,
    list_of,
    number,
    one_of,
    or_none,
    record,
    shorten,
    text,
    whole,
)
from keras_csg.untrusted.limits import (
    VARIABLE,
    most_bytes,
    most_image_bytes,
    shown_bytes,
)

MOST_SIDE = 2**20
MATRIX = record(
    {
        "shape": list_of(whole(1, 2**31), least=2, most=2),
        "data": lambda value, name: _packed_text(value, name),
    },
    {},
)


def class_name(value: Any, name: str) -> str:
    """Returns a class's name; somebody's own description may have numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = shorten(value)
    return text(value, name)


def input_shape(value: Any, name: str) -> tuple[int | None, ...]:
    """Returns `(None, height, width, 3)`, a side `None` where it is free."""
    sides = list_of(or_none(whole(1, MOST_SIDE)), least=4, most=4)(value, name)
    if sides[0] is not None or sides[3] != 3:
        raise FieldError(
            f"`{name}` must be [null, height, width, 3]. Received: {sides}"
        )
    size = math.prod(side or 1 for side in sides) * np.dtype("f4").itemsize
    most = most_image_bytes()
    if size > most:
        raise FieldError(
            f"`{name}` must be that of images of at most {shown_bytes(most)} "
            f"(an eighth of {VARIABLE}). Received: {sides}, "
            f"{shown_bytes(size)}"
        )
    return tuple(sides)


def pixel_range(value: Any, name: str) -> list[float]:
    """Returns the least and the largest value of pixels."""
    low, high = list_of(number(), least=2, most=2)(value, name)
    if low >= high:
        raise FieldError(
            f"`{name}` must be two numbers, the smaller one first. "
            f"Received: {shorten(low)}, {shorten(high)}"
        )
    return [low, high]


DIGEST = record({"model": text, "description": text}, {})
INPUT = record(
    {
        "name": text,
        "shape": input_shape,
        "dtype": one_of("float32", "uint8"),
    },
    {
        "range": pixel_range,
        "color": one_of("RGB"),
        "layout": one_of("NHWC"),
        "least_size": list_of(whole(1), least=2, most=2),
        "resize": text,
        "background": text,
        "white_level": or_none(whole(1)),
        "preprocessing": list_of(anything),
    },
)


SHARE = number(0, 1)
DETECTOR = record(
    {
        "score": text,
        "threshold": number(),
        "known_up_to": SHARE,
        "false_alarm_rate": SHARE,
    },
    {"images": or_none(whole()), "baseline": flag},
)
TEMPERATURE = record(
    {
        "temperature": number(1e-6, 1e6),
        "images": whole(),
        "ece_before": SHARE,
        "ece_after": SHARE,
    },
    {
        "class_specific_temperature": or_none(number(1e-6, 1e6)),
        "class_specific_ece_before": or_none(SHARE),
        "class_specific_ece_after": or_none(SHARE),
    },
)


def filter_names_of(value: Any, name: str) -> dict[int, str]:
    """Returns names by the numbers of filters, which are text in JSON."""
    if not isinstance(value, dict):
        raise FieldError(
            f"`{name}` must be a table. Received: {shorten(value)}"
        )
    for key in value:
        if not re.fullmatch(r"[0-9]{1,9}", key):
            raise FieldError(
                f"`{name}` must name filters by their numbers. "
                f"Received: '{shorten(key)}'"
            )
    return {int(key): text(one, f"{name}.{key}") for key, one in value.items()}


def pack_matrix(matrix: np.ndarray) -> dict[str, Any]:
    """Returns a gate matrix as JSON has it."""
    data = zlib.compress(np.asarray(matrix, "<f4").tobytes(), level=9)
    return {
        "shape": list(matrix.shape),
        "data": base64.b64encode(data).decode("ascii"),
    }


def unpack_matrix(
    values: dict[str, Any], model_bytes: int | None
) -> np.ndarray | None:
    """Returns the gate matrix, `None` without one.

    Args:
        values: the fields of the metadata, each checked by itself.
        model_bytes: int. Size of the exported model; `None` not to compare.

    Raises:
        FieldError: if its shape is not that of classes and filters, or its
            numbers are others than the shape says.
    """
    packed = values.get("gate_matrix")
    if packed is None:
        return None
    packed = MATRIX(packed, "gate_matrix")
    shape = tuple(packed["shape"])
    classes, filters = len(values["class_names"]), values.get("filter_classes")
    wanted = (classes, shape[1] if filters is None else len(filters))
    if shape != wanted:
        raise FieldError(
            f"`gate_matrix.shape` must be {list(wanted)}, the numbers of "
            f"classes and filters. Received: {list(shape)}"
        )
    size = 4 * math.prod(shape)
    # The head has as many numbers, of a byte each at least.
    most = min(most_bytes(), 4 * (model_bytes or 2**62))
    if size > most:
        raise FieldError(
            f"`gate_matrix` unpacks to {shown_bytes(size)}, and of this model "
            f"may to {shown_bytes(most)}"
        )
    return _inflated(packed["data"], size).reshape(shape)


def check_together(metadata: Any) -> None:
    """Refuses fields that do not fit each other.

    Args:
        metadata: `Metadata`.

    Raises:
        FieldError: naming one of them.
    """
    names, gate = metadata.class_names, metadata.gate_matrix
    if len(set(names)) < len(names):
        ((twice, _),) = collections.Counter(names).most_common(1)
        raise FieldError(
            f"`class_names` must be all different. Received: '{shorten(twice)}'"
            " twice"
        )
    if max(metadata.filter_classes or [0]) >= len(names):
        raise FieldError(
            f"`filter_classes` must be numbers of the {len(names)} classes. "
            f"Received: {max(metadata.filter_classes or [0])}"
        )
    filters = None if gate is None else gate.shape[1]
    if filters is not None and max(metadata.filter_names, default=0) >= filters:
        raise FieldError(
            f"`filter_names` must be those of the {filters} filters. "
            f"Received: {max(metadata.filter_names)}"
        )
    if gate is not None and not np.isfinite(gate).all():
        raise FieldError("`gate_matrix` must be finite numbers. Received: NaN")
    try:
        known = {
            n: metadata.input[n] for n in PLAIN.to_dict() if n in metadata.input
        }
        reading = ImageReading(**known)
    except (ValueError, TypeError) as error:
        raise FieldError(f"`input`: {error}") from error
    if "preprocessing" in metadata.input:
        _check_steps(metadata.input, reading)


def _check_steps(image, reading):
    """Refuses steps for programs that are others than those done here.

    They may be told in other words, and a later version may say more.
    """
    wanted = preprocessing_steps(reading, image)
    given = image["preprocessing"]
    if len(given) != len(wanted) or not all(map(_is_step, given, wanted)):
        raise FieldError(
            "`input.preprocessing` must be the steps of this package's version "
            "for the other fields of `input`"
        )


def _is_step(given, wanted):
    if not isinstance(given, dict) or given.get("step") != wanted["step"]:
        return False
    known = given.keys() & wanted.keys() - {"what"}
    return all(given[name] == wanted[name] for name in known)


def _packed_text(value, name):
    # It is longer than any other text, and as long as the file lets it be.
    if not isinstance(value, str):
        raise FieldError(f"`{name}` must be a text. Received: {shorten(value)}")
    return value


def _inflated(data, size):
    """Returns the numbers of a packed matrix, and never more than `size`."""
    try:
        packed = base64.b64decode(data, validate=True)
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, size + 1)
    except (ValueError, zlib.error) as error:
        raise FieldError(f"`gate_matrix.data` is damaged: {error}") from error
    if len(content) != size or not unpacker.eof:
        raise FieldError(
            "`gate_matrix.data` must have as many numbers as `gate_matrix."
            "shape` says"
        )
    return np.frombuffer(content, "<f4")
