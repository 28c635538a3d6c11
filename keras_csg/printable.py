"""Names are data: how they are shown where they could do something."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

MOST_SHOWN = 200
"""Characters of a value that a message repeats."""
MOST_OF_ALL = 2000
"""Characters of a message."""
# Controls, what turns the direction of text, ends of lines, halves of pairs.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Words of several scripts, and families of emoji, are joined by them.
JOINERS = "\u200c\u200d"
_PLAIN = re.compile(r"[ -~]*")
_QUOTED = re.compile(rf"'[^']{{{MOST_SHOWN + 1},}}'")
_QUOTED_FIRST = re.compile(r"[\w=]*'")


def printable(text: str, keep: str = "") -> str:
    r"""Returns a text without what a terminal or a browser would act on.

    Control characters, such as those that begin a terminal's commands, marks
    that turn the direction of writing, ends of lines and bytes that are no
    text are shown by number.

    Args:
        text: str.
        keep: str. Characters that stay nevertheless.

    Example:
    >>> printable("cat\x1b[31m")
    'cat\\x1b[31m'
    """
    if _PLAIN.fullmatch(text):
        return text
    stays = JOINERS + keep
    return "".join(
        _by_number(character)
        if unicodedata.category(character) in UNSEEN and character not in stays
        else character
        for character in text
    )


def _by_number(character):
    if "\udc80" <= character <= "\udcff":  # A byte that is no text.
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def shortened(message: str) -> str:
    """Returns a message in which long values are cut.

    Args:
        message: str, a line.
    """
    words = re.sub(
        rf"\S{{{MOST_SHOWN + 1},}}", lambda found: _cut(found[0]), message
    )
    head, mark, value = words.partition("Received: ")
    # A value, not the reasons that may stand behind it.
    value = _QUOTED.sub(lambda found: _cut(found[0]), value)
    if not _QUOTED_FIRST.match(value) and len(value) > MOST_SHOWN:
        value = _cut(value)
    text = f"{head}{mark}{value}"
    return text if len(text) <= MOST_OF_ALL else f"{text[:MOST_OF_ALL]}…"


def _cut(text):
    """Leaves the middle out: of a path, the end tells most."""
    half = MOST_SHOWN // 2
    return f"{text[:half]}…{text[1 - half :]}"


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Returns what follows in an error on a name that is none of the known.

    The nearest of those, where one is near, and a space.
    """
    near = difflib.get_close_matches(str(name), list(known), 1)
    return f"; did you mean {near[0]!r}? " if near else ". "
