import base64
import html
import io
import json
import pathlib
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from keras_csg.evaluation.filter_tables import (
    class_rows,
    filter_rows,
    survey_figures,
    survey_tables,
)
from keras_csg.reports.embedding import jpeg_uri, png_uri
from keras_csg.reports.filter_crops import OUTLINE, filter_crops, outlined
from keras_csg.reports.filter_pages import write_filter_pages
from tests.reports.surveys import SCRIPT, hand_made

CHROMIUM = pathlib.Path("/usr/bin/chromium")


def pages(folder, survey=None, **kwargs):
    names = write_filter_pages(
        survey or hand_made(),
        folder,
        **{"run": SCRIPT, "data": SCRIPT, "split": "test", **kwargs},
    )
    return {name: (folder / name).read_text("utf-8") for name in names}


def opened(uri):
    data = base64.b64decode(uri.partition("base64,")[2])
    return np.asarray(Image.open(io.BytesIO(data)))


def test_what_is_not_high_is_dark_and_the_rest_outlined():
    images = np.full((1, 120, 120, 3), 200, "uint8")
    maps = np.array([[[4.0, 0.0], [0.0, 0.0]]])
    shown, high = outlined(images, maps, 2.0)
    assert shown.shape == (1, 120, 120, 3)
    # Bilinear from 4 to 0 between the cells' centres.
    assert high[0, 40, 40] and not high[0, 40, 70] and not high[0, 70, 40]
    assert (shown[0, 40, 40] == 200).all()
    assert (shown[0, 100, 100] == 80).all()
    row = (shown[0, 30] == OUTLINE).all(axis=-1)
    # The image's edge is one of the region's; so is where it ends.
    assert row[:2].all() and row.sum() == 4 and not row[2]
    last = np.flatnonzero(row)[-1]
    assert high[0, 30][row].all() and not high[0, 30, last + 1]


def test_nothing_high_is_dark_throughout_and_all_high_has_a_frame():
    images = np.full((2, 120, 120, 3), 100, "uint8")
    maps = np.stack([np.zeros((2, 2)), np.full((2, 2), 3.0)])
    (dark, light), high = outlined(images, maps, 2.0)
    assert (dark == 40).all()
    assert (light[2:-2, 2:-2] == 100).all()
    assert (light[[0, 1, -2, -1]] == OUTLINE).all()
    assert_allclose(high.mean(axis=(1, 2)), [0, 1])


def test_small_images_are_enlarged():
    first, second = filter_crops(hand_made(), 0)
    assert first.image.shape == (112, 112, 3)
    assert (first.sample, first.label, first.value) == (5, 0, 1)
    assert (second.sample, second.label) == (9, 1)
    assert first.place == "top left" and 0.1 < first.share < 0.4
    assert len(filter_crops(hand_made(), 2)) == 1
    assert filter_crops(hand_made(), 3) == []


@pytest.mark.parametrize(
    "size, cell, place",
    [
        ((3, 3), (1, 1), "centre"),
        ((8, 8), (7, 4), "bottom centre"),
        ((1, 1), (0, 0), "centre"),
        ((4, 6), (2, 5), "middle right"),
    ],
)
def test_where_a_map_is_largest_is_said_in_words(size, cell, place):
    maps = np.zeros((4, 2, *size), "float32")
    maps[:, :, cell[0], cell[1]] = 1
    assert filter_crops(hand_made(top_maps=maps), 0)[0].place == place


def test_images_become_uris():
    image = np.random.default_rng(0).integers(0, 255, (6, 5, 3), "uint8")
    assert (opened(png_uri(image)) == image).all()
    assert png_uri(image).startswith("data:image/png;base64,")
    flat = np.full((8, 8, 3), 99, "uint8")
    assert abs(opened(jpeg_uri(flat)).astype(int) - 99).max() <= 2
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), "uint8")
    assert len(jpeg_uri(noise, quality=20)) < len(jpeg_uri(noise))


def test_names_that_are_code_are_shown_as_they_are(tmp_path):
    found = pages(tmp_path)
    assert set(found) == {"class-000.html", "class-001.html", "index.html"}
    for text in found.values():
        assert "<script" not in text and "<img src=x" not in text
        assert html.escape(SCRIPT) in text
    own = found["class-000.html"]
    assert "Filter 1 (&lt;img src=x onerror=alert(2)&gt;)" in own
    (first, *_) = re.findall(r'<img [^>]*alt="([^"]*)"', own)
    assert html.unescape(first) == (
        f"Image 5 of {SCRIPT}: fires most at the top left, in 23% of the "
        "image, 1 on average"
    )


def test_a_page_says_what_hangs_on_a_filter(tmp_path):
    page = pages(tmp_path)["class-000.html"]
    sections = page.split('<section class="filter"')[1:]
    # Those that know most first: 1, 0 and the dead one.
    assert [s[: s.index(" aria")] for s in sections] == [
        ' id="filter-1"',
        ' id="filter-0"',
        ' id="filter-3"',
    ]
    assert "0.250" in sections[0] and "(-0.500)" in sections[0]
    assert (
        "1 of 2" in sections[0]
        and 'href="class-000.html#filter-0"' in (sections[0])
    )
    assert "not &lt;script&gt;" in sections[0]  # The second image's class.
    assert "dead" in sections[2] and "No image fires it." in sections[2]
    other = (tmp_path / "class-001.html").read_text()
    assert "Open to this class as well" in other


def test_the_index_lists_shared_dead_and_duplicates(tmp_path):
    index = pages(tmp_path)["index.html"]
    shared = index[index.index("Shared filters") :]
    assert "filter 3" in shared.partition("</ul>")[0]
    dead = index[index.index("Dead filters") :]
    assert "filter 3" in dead.partition("</p>")[0]
    duplicates = index[index.index('id="duplicates"') :]
    assert "0.9900" in duplicates


def test_some_filters_alone(tmp_path):
    found = pages(tmp_path, filters=[2])
    assert set(found) == {"class-001.html", "index.html"}
    assert "shown are 1 of them" in found["index.html"]
    assert "class-000" not in "".join(found.values())


def test_lists_end_somewhere(tmp_path):
    many = [(0, 1, 0.99)] * 500
    index = pages(tmp_path, hand_made(duplicates=many))["index.html"]
    assert "300 more are in" in index and index.count("0.9900") == 200


def test_rows_are_plain_values():
    survey = hand_made()
    tables = survey_tables(survey)
    json.dumps(tables, allow_nan=False)
    assert survey_figures(survey)["purity"] == pytest.approx(2 / 3)
    first, second = class_rows(survey)
    assert first["filters"] == 3 and first["recall_lost"] == 0.5
    assert second["recall"] is None and second["mis"] == 0.25
    rows = filter_rows(survey)
    assert rows[0]["duplicates"] == [1] and rows[1]["duplicates"] == [0]
    assert rows[3]["serves"] == survey.class_names
    assert rows[3]["purity"] is None and rows[3]["images"] == []
    assert rows[1]["recall_lost"] == 0.5 and rows[2]["recall_lost"] is None
    (alone,) = survey_tables(survey, [2])["filters"]
    assert alone == rows[2] and survey_tables(survey, [2])["duplicates"] == []


@pytest.fixture
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    arguments = (
        "--no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update "
        "--disable-sync"
    )
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=str(CHROMIUM), args=arguments.split()
        )
        yield browser
        browser.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_them(tmp_path, browser, scheme, width):
    """No request, no error, nothing wider than the window, links that lead."""
    pages(tmp_path)
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{tmp_path}/index.html")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") == (scheme == "light")
    for _ in range(2):
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not page.evaluate(wide)
        # By the keyboard: past the way to the content, to the first link.
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator("tbody th a, section a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/class-000.html*")
        broken = "[...document.images].filter(i => !i.alt).length"
        assert page.evaluate(broken) == 0
    assert said == []
    assert all(url.startswith(("file:", "data:")) for url in asked)
