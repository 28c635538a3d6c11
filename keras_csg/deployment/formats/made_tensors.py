"""How much operations make out of constants: a small file may ask for it all.

Runtimes compute what depends on no input when they open a file. What is a
lower bound here suffices: shapes that are computed are not followed.
"""

import math
from collections.abc import Iterable, Sequence

from keras_csg.untrusted.limits import check_bytes

Constants = Sequence[Sequence[float] | None]
"""An operation's operands: the numbers of those that are constants."""
MOST_NUMBERS = 64
"""Of an operand that says a shape."""
WIDTH = 4
SHAPES = {
    **{"constantofshape": (0,), "fill": (0,), "randomnormal": (0,)},
    **{"randomuniform": (0,), "expand": (1,), "broadcastto": (1,)},
    **{"tile": (1,), "upsample": (1,), "onehot": (1,), "resize": (2, 3)},
    **{"resizearea": (1,), "resizebicubic": (1,), "resizebilinear": (1,)},
    **{"resizenearestneighbor": (1,), "scaleandtranslate": (1,)},
}
"""Which operand says the shape of what is made, or by what it grows."""
PADS = {"pad", "padv2", "mirrorpad"}
RANGE = "range"


def made_bytes(kind: str, operands: Constants) -> int:
    """Returns what an operation makes at least, 0 where nothing says it.

    Args:
        kind: str. The operation, of ONNX, LiteRT or TensorFlow.
        operands: its constants, `None` for what is none.
    """
    kind = kind.replace("_", "").lower()
    known = {
        place: values
        for place, values in enumerate(operands)
        if values is not None and all(map(math.isfinite, values))
    }
    if kind == RANGE and {0, 1, 2} <= known.keys():
        start, end, step = (next(iter(known[i]), 0.0) for i in range(3))
        return WIDTH * int(max(0, (end - start) / step)) if step else 0
    if kind in PADS:
        return WIDTH * _padded(known.get(1, ()))
    return max(
        (_product(known[i]) for i in SHAPES.get(kind, ()) if known.get(i)),
        default=0,
    )


def check_made(operations: Iterable[tuple[str, Constants]]) -> None:
    """Refuses operations that make more than a file may unpack to.

    Args:
        operations: the kind of each and its constants; see `made_bytes`.

    Raises:
        ValueError: naming the limit.
    """
    made = sum(made_bytes(kind, operands) for kind, operands in operations)
    check_bytes("it", made)


def _product(values):
    return WIDTH * int(math.prod(max(0, value) for value in values))


def _padded(values):
    """Returns the numbers in the corner that is added on all axes."""
    added = [max(1, value) for value in values]
    # All axes' beginnings and then all ends, or both of each axis in turn:
    # the larger of all by itself is less than what is made of either.
    return int(max(added, default=0))
