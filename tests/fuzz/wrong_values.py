"""Values that are none, by the type of an option or an argument."""

import click
from hypothesis import strategies as st

NUMBERS = ["", " ", "x", "nan", "inf", "-inf", "1e400", "1/0", "0/0", "1,5"]
WHOLE = [*NUMBERS, "1.5", "-1", "-0x1", "9" * 30, "١٢x", "1_000_000_000_000"]
WORDS = ["", "nothing", "a,b", ",", "-", "--", "\x1b[31mred", "[red]x[/]", "ñ"]
PATHS = [
    "",
    "missing",
    "missing/none.keras",
    "~nobody-here/x",
    "folder",
    "garbage.keras",
    "garbage.onnx",
    "garbage.tflite",
    "garbage.json",
    "garbage.csv",
    "garbage.png",
    "empty.keras",
    "/dev/null",
    "a" * 300,
    "no\nline",
    "\x1b]0;title\x07",
]


def wrong_values(kind):
    """Returns a strategy of values for a parameter of click.

    Some may do: then the command does what it is asked.

    Args:
        kind: `click.ParamType`.
    """
    if isinstance(kind, click.types.IntParamType):
        return st.sampled_from(WHOLE) | _lines()
    if isinstance(kind, click.types.FloatParamType):
        return st.sampled_from(NUMBERS) | _lines()
    if isinstance(kind, click.Choice):
        return st.sampled_from(WORDS) | _lines()
    if isinstance(kind, click.Path):
        return st.sampled_from(PATHS)
    return st.sampled_from(WORDS + WHOLE + PATHS) | _lines()


def _lines():
    """Texts as a shell gives them: no zero byte, and what is no text."""
    letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    return st.text(letters, max_size=12)


def write_garbage(folder):
    """Writes the files that `PATHS` names."""
    (folder / "folder").mkdir()
    (folder / "empty.keras").touch()
    for name in PATHS:
        if name.startswith("garbage"):
            (folder / name).write_bytes(bytes(range(256)) * 8)
