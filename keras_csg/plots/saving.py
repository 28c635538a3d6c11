"""Writes a figure, with the characters that names in any script need."""

import functools
import pathlib
import warnings

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from keras_csg.choices import DRAWN_BY
from keras_csg.files import whole_file


def save_figure(figure: Figure, path: pathlib.Path, dpi: int) -> None:
    """Writes a figure as PNG.

    Characters that matplotlib's font lacks come from another installed font.
    Where none has them a box stands for each, and one warning says so.

    Args:
        figure: `matplotlib.figure.Figure`.
        path: `pathlib.Path` of the file.
        dpi: int. Pixels per inch.
    """
    missing = _set_fonts(figure)
    if missing:
        warnings.warn(
            f"No installed font has {len(missing)} of the characters in "
            f"{path.name}, such as {min(missing)!r}: a box stands for each.",
            stacklevel=3,
        )
    with whole_file(path) as part, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(part, dpi=dpi, metadata={"Software": DRAWN_BY})


def save_pixels(pixels: np.ndarray, path: pathlib.Path) -> None:
    """Writes an image as PNG, pixel by pixel.

    Args:
        pixels: uint8 array of shape `(height, width, 3)`.
        path: `pathlib.Path` of the file.
    """
    with whole_file(path) as part:
        about = PngInfo()
        about.add_text("Software", DRAWN_BY)
        Image.fromarray(pixels).save(part, "PNG", pnginfo=about)


def with_fonts(figure: Figure) -> Figure:
    """Returns a figure whose texts have fonts for all their characters."""
    _set_fonts(figure)
    return figure


def _set_fonts(figure):
    """Sets the fonts that a figure's texts need; returns what none has."""
    texts = figure.findobj(Text)
    characters = frozenset("".join(text.get_text() for text in texts))
    fonts, missing = _fonts_for(characters - {"\n"})
    if len(fonts) > 1:
        for text in texts:
            text.set_fontfamily(fonts)
    return missing


@functools.lru_cache(maxsize=8)
def _fonts_for(characters):
    """Returns families that have the characters, and what none has."""
    default = font_manager.FontProperties()
    families = [font_manager.get_font(_file_of(default)).family_name]
    missing = characters - _characters_of(_file_of(default))
    if missing:  # Only then are the others opened, which takes a while.
        for font in _other_fonts():
            found = missing & _characters_of(font.fname)
            if found:
                families.append(font.name)
                missing -= found
    return families, missing


def _file_of(properties):
    return font_manager.findfont(properties)


def _other_fonts():
    """Returns those installed; the last resort has boxes for every script."""
    return sorted(
        (
            font
            for font in font_manager.fontManager.ttflist
            if not font.name.startswith("Last Resort")
        ),
        key=lambda font: font.name,
    )


@functools.lru_cache(maxsize=512)
def _characters_of(file):
    """Returns the characters of a font's file; none of a broken one."""
    try:
        return frozenset(map(chr, font_manager.get_font(file).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()
