import os
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from keras_csg.plots import save_gate, saving
from keras_csg.plots.saving import save_figure

UNASSIGNED = "\u0378"  # In no font, by the standard.


@pytest.fixture(autouse=True)
def forgotten_fonts():
    saving._fonts_for.cache_clear()
    yield
    saving._fonts_for.cache_clear()


def caught_at(path, names):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save_gate(np.eye(len(names), 6), names, path)
    return [str(warning.message) for warning in caught]


def test_names_that_the_font_has_are_drawn_silently(tmp_path):
    assert caught_at(tmp_path / "gate.png", ["Hündin", "кот", "γάτα"]) == []


def test_what_no_font_has_is_said_in_one_line(tmp_path):
    """Names of many, each drawn more than once, are one warning."""
    names = [UNASSIGNED, f"{UNASSIGNED}\u0379", "c"]
    (line,) = caught_at(tmp_path / "gate.png", names)
    assert "2 of the characters in gate.png" in line and "\n" not in line
    with Image.open(tmp_path / "gate.png") as picture:
        assert picture.size[0] > 100


def test_what_the_font_lacks_comes_from_another(tmp_path, monkeypatch):
    """DejaVu Sans Mono stands for a font of another script."""
    has = {"DejaVuSans.ttf": "a", "DejaVuSansMono.ttf": "b"}
    monkeypatch.setattr(
        saving,
        "_characters_of",
        lambda file: frozenset(has.get(os.path.basename(file), "")),
    )
    figure = Figure()
    text = figure.text(0.5, 0.5, "ab")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, tmp_path / "text.png", dpi=50)
    assert text.get_fontfamily() == ["DejaVu Sans", "DejaVu Sans Mono"]
