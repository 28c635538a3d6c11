"""Templates, and how what comes from data gets into them as mere text."""

import functools
import json
import pathlib
import re
from typing import Any

import jinja2
from markupsafe import Markup

from keras_csg.printable import printable

FOLDER = pathlib.Path(__file__).parent / "templates"
MARKDOWN = re.compile(r"([\\`*_{}\[\]|~#])")
UNSAFE = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
# What turns the direction of the text behind it, or is not to be seen.
UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


@functools.cache
def html_environment() -> jinja2.Environment:
    """Returns the templates of pages; all that is put in is escaped."""
    environment = jinja2.Environment(
        autoescape=True, finalize=html_text, **_settings()
    )
    environment.filters["capitalize_first"] = _capitalized
    return environment


@functools.cache
def markdown_environment() -> jinja2.Environment:
    """Returns the templates of Markdown; all that is put in is escaped.

    As HTML, which Markdown may hold, and what Markdown itself would read.
    """
    return jinja2.Environment(
        autoescape=True, finalize=markdown_text, **_settings()
    )


def _capitalized(text):
    return text[:1].upper() + text[1:]


def _settings():
    return {
        "loader": jinja2.FileSystemLoader(FOLDER),
        "undefined": jinja2.StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }


def asset(name: str) -> str:
    """Returns the text of a style sheet or script beside the templates."""
    return (FOLDER / name).read_text("utf-8")


def html_text(value: Any) -> Any:
    """Returns a value as text in which nothing turns or hides the rest."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(value, "\n\t")


def markdown_text(value: Any) -> Any:
    """Returns a value as text that Markdown shows as it is, in one line."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = printable(" ".join(value.split()))
    return MARKDOWN.sub(r"\\\1", text)


def script_json(value: Any) -> Markup:
    """Returns a value as JSON that can stand within a `<script>` element.

    Nothing in it ends the element, whatever names and texts it holds.

    Args:
        value: what JSON can hold.

    Raises:
        ValueError: if a number in it is not finite.
    """
    text = json.dumps(
        value, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )
    for character, escape in UNSAFE.items():
        text = text.replace(character, escape)
    text = UNSEEN.sub(lambda found: "\\" + printable(found[0]), text)
    # Half a pair of surrogates is no text that a file could hold.
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return Markup(text)
