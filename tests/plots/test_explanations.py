import re

import numpy as np
import pytest
from PIL import Image

from keras_csg.explain import explain
from keras_csg.plots.maps import overlay
from tests.explain.hand_made import channel_classifier


@pytest.fixture
def found():
    model = channel_classifier()
    model.class_names = ["<b>cat</b>", "$tiger$"]
    images = np.random.default_rng(0).uniform(0, 255, (9, 4, 4, 3))
    return explain(model, images, filters=2)


def titles(figure):
    halves = figure.subfigs
    return [panel.get_title() for half in halves for panel in half.get_axes()]


def test_each_class_has_its_heatmap_and_its_filters(found):
    figure = found.plot(0)
    upper, lower = figure.subfigs
    assert len(upper.get_axes()) == 2 * (1 + 2)
    assert len(lower.get_axes()) == 2
    assert any("Why" in title for title in titles(figure))


def test_bars_are_what_filters_add(found):
    panel = found.plot(3).subfigs[1].get_axes()[0]
    widths = [bar.get_width() for bar in panel.patches]
    evidence = found.predicted
    np.testing.assert_allclose(
        widths, evidence.contributions[3, evidence.filters[3]], rtol=1e-6
    )


def test_names_are_drawn_as_they_are(found):
    texts = " ".join(titles(found.plot(0)))
    assert r"\$tiger\$" in texts
    found.plot(0).savefig("/dev/null", format="png")  # No formula in it.


def test_a_notebook_sees_pictures_and_no_markup_of_names(found):
    text = found._repr_html_()
    assert text.count("<img") == 8 and "1 more" in text
    assert "<b>" not in text and "&lt;b&gt;" in text
    assert not re.search(r'src="(?!data:)', text)


def test_what_is_cold_looks_as_it_did():
    image = np.full((2, 2, 3), 100, "uint8")
    heat = np.array([[0.0, 1.0], [np.nan, 0.0]])
    drawn = overlay(image, heat)
    assert (drawn[0, 0] == 100).all() and (drawn[1, 1] == 100).all()
    assert (drawn[0, 1] != 100).any()
    assert (drawn[1, 0] == 45).all()


def test_an_overlay_is_of_the_pictures_size():
    model = channel_classifier()
    image = Image.new("RGB", (700, 300), "red")
    assert explain(model, [image]).overlay().shape == (300, 700, 3)
