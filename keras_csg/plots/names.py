from collections.abc import Iterable

from keras_csg.printable import printable

LONGEST = 32
"""Characters of a name that a picture has room for."""


def literal(text: str) -> str:
    """Returns a text that matplotlib draws as it is.

    Between dollar signs it would read a formula.
    """
    return printable(text, "\n").replace("$", r"\$")


def literal_names(names: Iterable[str]) -> list[str]:
    """Returns names that matplotlib draws as they are.

    The middle of one that is too long is left out: beside it there would be no
    room for the picture.
    """
    return [literal(_shortened(printable(name))) for name in names]


def _shortened(name):
    if len(name) <= LONGEST:
        return name
    half = (LONGEST - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
