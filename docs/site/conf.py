"""What Sphinx makes the site by; `make docs` builds it."""

import inspect
import re
import sys
from pathlib import Path

import keras_csg

sys.path.insert(0, str(Path(__file__).parent))

project = "keras-csg"
author = "the keras-csg developers"
version = release = keras_csg.__version__
language = "en"

extensions = [
    # MyST with notebooks, which it shows as they were kept.
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "known_names",
]
exclude_patterns = ["site", "drawings"]
# Docstrings have names in single backticks, as Keras's have.
default_role = "code"
# Not the dashes of options.
smartquotes_action = "qe"
suppress_warnings = ["myst.header"]
linkcheck_timeout = 20

# Anchors as code hosts make them, so that links lead to the same places.
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
# `make tutorials` executes them: the site is built fast, and without a network.
nb_execution_mode = "off"
copybutton_exclude = ".linenos, .gp"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_custom_sections = [
    # As a list of its own: else a dataclass has its fields twice.
    ("Attributes", "params_style"),
    ("Call arguments", "params_style"),
    ("Reference", "notes_style"),
]

html_theme = "furo"
pygments_style = "a11y-light"
pygments_dark_style = "github-dark"
html_title = f"keras-csg {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
# Pages come from a folder made for the build, so no link to their source.
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_js_files = ["offline.js"]
html_theme_options = {
    "source_repository": "",
    "light_css_variables": {"color-brand-primary": "#0b62a8"},
    "dark_css_variables": {"color-brand-primary": "#7db8f0"},
}

LINK = re.compile(r"\[([^\]\n]+)\]\((https?:[^\s]+)\)(?=[\s.,;:)]|$)")
FENCE = re.compile(r"^( *)```(\w+)$")
CODE = re.compile(r"(?<![`\\])`([^`]+)`(?!`)(\w?)")
# In `photos/*.jpg`: it would be read as the start of emphasis.
PATTERN = re.compile(r"(?<=/)\*(?=\.)")


def markdown_to_rst(lines):
    """Turns links, names and blocks of code, in place."""
    text, fence = [], None
    for line in lines:
        opening = FENCE.match(line)
        if fence is not None:
            closes = line.strip() == "```"
            text.append("" if closes else f"   {line}")
            fence = None if closes else fence
        elif opening:
            fence = opening[1]
            text += ["", f"{fence}.. code-block:: {opening[2]}", ""]
        else:
            text.append(line)
    joined = CODE.sub(_literal, "\n".join(text))
    lines[:] = LINK.sub(_link, joined).split("\n")


def _link(found):
    address = found[2].replace("<", "%3C").replace(">", "%3E")
    return f"`{found[1]} <{address}>`__"


def _literal(found):
    # A letter right behind, as in a plural, has to be set off.
    return f"``{found[1]}``" + (f"\\ {found[2]}" if found[2] else "")


def of_docstring(app, what, name, obj, options, lines):
    """Is called before napoleon reads a docstring."""
    if what == "data" and lines and obj.__doc__ == type(obj).__doc__:
        kind = inspect.cleandoc(type(obj).__doc__).splitlines()
        # That of `dict` says nothing of this one.
        lines[:] = [] if lines[: len(kind)] == kind else lines
    markdown_to_rst(lines)


def of_command(app, context, lines):
    """Is called with each part of what a command says of itself."""
    markdown_to_rst(lines)
    lines[:] = [PATTERN.sub(r"\\*", line) for line in lines]


def own_signature(app, what, name, obj, options, signature, returned):
    """Gives a class the arguments of its `__init__`.

    A Keras model says `(*args, **kwargs)` of each, for its `__new__`.
    """
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    of_init = inspect.signature(obj.__init__)
    rest = list(of_init.parameters.values())[1:]
    rest = [argument.replace(annotation=argument.empty) for argument in rest]
    return str(inspect.Signature(rest)), returned


def without_fields(app, what, name, obj, skip, options):
    """Leaves the fields of a named tuple to its docstring."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def setup(app):
    """Has what is written beside the code turned."""
    app.connect("autodoc-process-docstring", of_docstring, priority=100)
    app.connect("autodoc-process-signature", own_signature)
    app.connect("autodoc-skip-member", without_fields)
    for part in ("description", "arguments", "options", "epilog"):
        app.connect(f"sphinx-click-process-{part}", of_command)
