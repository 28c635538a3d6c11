"""The page: nothing in it is markup that was not meant to be, and it fits."""

import json
import re
from html.parser import HTMLParser

import pytest

from keras_csg.reports.card import make_card
from keras_csg.reports.page import LARGEST, SECTIONS, page_text
from keras_csg.reports.rendering import script_json
from tests.reports.fakes import fake

NASTY = [
    '<img src=x onerror="alert(1)">',
    "</script><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    '" onmouseover="alert(1)',
    "$x^2$ \u2028 & <!--",
    "<b>bold</b>",
]


def page_of(gathered, **kwargs):
    card = make_card(gathered)
    return page_text(gathered, card, card_name="model_card.md", **kwargs)


def data_of(page):
    text = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page, re.S
    )
    return json.loads(text[1])


class Elements(HTMLParser):
    """Collects start tags with what they are given, and the page's text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page():
    return page_of(fake(NASTY))


def test_names_are_text_wherever_they_stand(page):
    elements = Elements(page)
    tags = [tag for tag, _ in elements.found]
    assert tags.count("script") == 3 and "b" not in tags
    assert not [
        a for _, attrs in elements.found for a in attrs if a[:2] == "on"
    ]
    sources = {
        attrs["src"][:5] for tag, attrs in elements.found if "src" in attrs
    }
    assert sources == {"data:"}
    for name in NASTY[:3]:
        assert name in elements.text


def test_the_script_gets_names_as_they_are(page):
    data = data_of(page)
    assert data["browser"]["names"] == NASTY
    assert data["browser"]["filters"][0]["label"] == (
        "filter 0 (</script><b>first</b>)"
    )


def test_charts_get_names_that_plotly_reads_as_text(page):
    charts = data_of(page)["charts"]
    ticks = charts["confusion"]["data"][0]["y"]
    assert len(set(ticks)) == len(NASTY)
    assert not [tick for tick in ticks if "<" in tick]


def test_nothing_is_asked_of_a_network(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "http" not in policy and "unsafe-eval" not in policy
    for tag, attrs in Elements(page).found:
        for name in ("src", "href"):
            assert attrs.get(name, "#")[:1] == "#" or attrs[name].startswith(
                "data:"
            ), (tag, attrs)


def test_every_section_has_a_heading_and_a_link(page):
    elements = Elements(page).found
    ids = {attrs.get("id") for _, attrs in elements}
    links = {attrs.get("href") for tag, attrs in elements if tag == "a"}
    for name in SECTIONS:
        if name != "comparison":
            assert name in ids and f"#{name}-title"[1:] in ids
            assert f"#{name}" in links


def test_every_image_has_an_alternative(page):
    images = [attrs for tag, attrs in Elements(page).found if tag == "img"]
    assert images and all(attrs.get("alt") for attrs in images)


def test_numbers_are_those_that_were_measured(page):
    gathered = fake(NASTY)
    figures = {
        attrs["data-figure"]: float(attrs["data-value"])
        for _, attrs in Elements(page).found
        if "data-figure" in attrs
    }
    assert figures == gathered.measured.figures


def test_a_network_without_a_gate_shows_the_rest():
    page = page_of(fake(["a", "b", "c"], gated=False))
    data = data_of(page)
    assert {"confusion", "reliability"} <= data["charts"].keys()
    assert not {"gate", "removed", "kept"} & data["charts"].keys()
    assert page.count("rained without a gate") >= 3
    assert data["browser"]["classes"][0]["filters"]


def test_what_was_left_out_is_said():
    gathered = fake(["a", "b"], images=9)
    whole = page_of(gathered)
    smaller = page_of(gathered, largest=len(whole.encode()) - 100_000)
    assert "So that it stays small" not in whole
    assert "So that it stays small" in smaller
    assert len(smaller) < len(whole) - 100_000


def test_without_any_room_there_are_no_images():
    data = data_of(page_of(fake(["a", "b"]), largest=1))
    assert data["images"] == []


def test_json_in_a_script_ends_nothing():
    text = script_json({"a": "</script>\u2028&<!--", "b": "\ud800"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script>\u2028&<!--", "b": "\ufffd"}
    with pytest.raises(ValueError):
        script_json(float("nan"))


@pytest.mark.slow
def test_a_thousand_classes_and_two_thousand_filters_fit():
    names = [f"class number {n}" for n in range(1000)]
    page = page_of(fake(names, 2048, samples=6000, images=9))
    assert 6e6 < len(page.encode()) <= LARGEST < 10e6
    assert "So that it stays small" in page
    data = data_of(page)
    assert len(data["browser"]["filters"]) == 2048
    assert any(one["images"] for one in data["browser"]["filters"])
    assert data["charts"]["gate"]["layout"]["images"]  # A picture.
