"""Whether a `.keras` file declares a network that its weights are of.

Keras builds the network that the configuration names, and only then compares
it with the weights: a few bytes may ask for a layer of terabytes.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import h5py

from keras_csg.untrusted.fields import shorten
from keras_csg.untrusted.limits import (
    VARIABLE,
    most_image_bytes,
    shown_bytes,
)

# Options that say how large a layer's weights are.
SIZES = re.compile(
    r"(^|_)(filters?|units|dims?|dimension|channels|multiplier|heads|classes"
    r"|groups|bins|rank|tokens)($|_)"
)
KERNEL = "kernel_size"
MOST_SIDE = 2**15
"""Of an image that a network takes."""
LEAST = 4096
"""A size up to which nothing is compared."""
SLACK = 8, 2**24
"""How many times the numbers of the weights, and beyond, layers may declare."""


def check_declared(config: Any, shapes: list[tuple[int, ...]]) -> None:
    """Refuses a configuration of more weights than there are.

    Args:
        config: what `config.json` says.
        shapes: of the arrays in the file.

    Raises:
        ValueError: naming the layer.
    """
    longest = max((side for shape in shapes for side in shape), default=0)
    total = sum(map(math.prod, shapes))
    declared = 0
    for name, options in _layers(config):
        for key, value in _sizes(options):
            if value > max(LEAST, longest):
                raise ValueError(
                    f"its layer {shorten(name)} has {key} of {shorten(value)}, "
                    f"and no weights are longer than {longest:,}"
                )
        _check_sides(name, options)
        declared += _numbers(options, shapes, longest)
        if declared > SLACK[0] * total + SLACK[1]:
            raise ValueError(
                f"its layers up to {shorten(name)} declare more weights than "
                f"there are: {total:,}"
            )


def stored_shapes(file: h5py.File) -> list[tuple[int, ...]]:
    """Returns the shapes of the arrays in a file of weights.

    Raises:
        ValueError: if one lies in another file, or says it is larger than the
            file can be.
    """
    shapes = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"its array {name} lies in another file")
            shapes.append(tuple(int(side) for side in item.shape or ()))

    file.visititems(visit)
    return shapes


def _layers(config: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yields name and options of each layer, models within models too."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            options = value.get("config")
            if "class_name" in value and isinstance(options, dict):
                name = options.get("name", value["class_name"])
                yield name, options
            waiting += value.values()


def _sizes(options: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yields the options that are sizes, lists of them too."""
    for key, value in options.items():
        if key == KERNEL or SIZES.search(key):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, int) and not isinstance(one, bool):
                    yield key, one


def _check_sides(name, options):
    for key in ("batch_shape", "batch_input_shape"):
        sides = options.get(key)
        sides = sides if isinstance(sides, list) else []
        sides = [side for side in sides if isinstance(side, int)]
        for side in sides:
            if side > MOST_SIDE:
                raise ValueError(
                    f"its layer {shorten(name)} has {key} of {shorten(side)}, "
                    f"and images have at most {MOST_SIDE:,}"
                )
        # Nobody has such images, and asking the network would make one.
        size, most = 4 * math.prod(sides), most_image_bytes()
        if size > most:
            raise ValueError(
                f"its layer {shorten(name)} has {key} of "
                f"{'x'.join(map(str, sides))}, and an image may take "
                f"{shown_bytes(most)} (an eighth of {VARIABLE})"
            )


def _numbers(options, shapes, longest):
    """Returns how many weights a layer of kernels may have, at most.

    As the largest array that fits what it says; of what fits none, all that
    its kernel, its filters and the longest side make.
    """
    kernel = options.get(KERNEL)
    count = options.get("filters", options.get("units"))
    if isinstance(kernel, int) and not isinstance(kernel, bool):
        kernel = [kernel, kernel]
    kernel = tuple(k for k in kernel or () if isinstance(k, int))
    if not isinstance(count, int):
        count = None
    if not kernel and count is None:
        return 0
    fitting = [
        math.prod(shape)
        for shape in shapes
        if shape[: len(kernel)] == kernel
        and (count is None or count in shape[len(kernel) :])
    ]
    made = math.prod(kernel) * (count or 1) * max(longest, 3)
    return max(fitting, default=made)
