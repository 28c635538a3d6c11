"""The page as a browser shows it: every view, by mouse and by keyboard."""

import pytest

from tests.reports.chromium import Visit, browser
from tests.reports.fakes import fake
from tests.reports.test_page import NASTY, page_of

pytestmark = pytest.mark.slow
NAMES = [*NASTY, "cat", "dog"]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page_of(fake(NAMES, filters=30)), "utf-8")
    return path


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


def wait_for_heading(view, text):
    view.wait_for_function(
        "text => document.querySelector('#panel h3').textContent === text",
        arg=text,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1440])
def test_all_charts_are_drawn_and_nothing_is_wider_than_the_screen(
    chromium, page, width, scheme
):
    visit = Visit(chromium, page, width, scheme)
    visit.scroll_through()
    places = visit.page.locator(".plot")
    assert places.count() == 7
    for place in places.all():
        assert place.locator("svg.main-svg").first.is_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    visit.check()


def test_charts_have_no_button_that_asks_a_server(chromium, page):
    visit = Visit(chromium, page)
    visit.scroll_through()
    buttons = visit.page.locator(".modebar-btn")
    titles = {button.get_attribute("data-title") for button in buttons.all()}
    assert titles == {
        "Download plot as a PNG",
        "Zoom",
        "Pan",
        "Zoom in",
        "Zoom out",
        "Reset axes",
    }


def test_dark_and_light_reach_the_charts(chromium, page):
    colours = {}
    for scheme in ("light", "dark"):
        visit = Visit(chromium, page, 1280, scheme)
        visit.scroll_through()
        text = visit.colour("#chart-confusion .ytick text", "fill")
        colours[scheme] = (visit.colour("body"), text)
        assert visit.colour("body") == text
        visit.page.emulate_media(
            color_scheme="dark" if scheme == "light" else "light"
        )
        visit.page.wait_for_timeout(300)
        assert visit.colour("#chart-confusion .ytick text", "fill") != text
        visit.check()
    assert colours["light"] != colours["dark"]


def test_every_class_and_filter_can_be_clicked(chromium, page):
    visit = Visit(chromium, page)
    view = visit.page
    for number, name in enumerate(NAMES):
        view.locator(f'#list-classes a[href="#class-{number}"]').click()
        wait_for_heading(view, name)
        assert view.evaluate("document.activeElement.tagName") == "H3"
        assert view.locator("#panel .pairs img").count() > 0
        assert view.locator("#panel .cards li").count() > 0
    view.locator("#tab-filters").click()
    for number in range(30):
        view.locator(f'#list-filters a[href="#filter-{number}"]').click()
        view.wait_for_function(
            "number => document.querySelector('#panel h3').textContent"
            ".split(' ')[1] === number",
            arg=str(number),
        )
        assert view.locator("#panel canvas").count() > 0
    view.locator('#panel a[href^="#class-"]').first.click()
    assert view.locator("#tab-classes").get_attribute("aria-selected") == "true"
    visit.check()


def test_links_lead_to_views_from_outside_and_back(chromium, page):
    visit = Visit(chromium, page)
    view = visit.page
    view.goto(page.as_uri() + "#filter-7")
    assert view.locator("#panel h3").inner_text() == "filter 7"
    assert (
        view.locator("#list-filters a[aria-current]")
        .inner_text()
        .startswith("filter 7")
    )
    view.evaluate("location.hash = 'class-6'")
    wait_for_heading(view, "cat")
    view.go_back()
    wait_for_heading(view, "filter 7")
    view.goto(page.as_uri() + "#filter-9999")
    visit.check()


def test_the_keyboard_is_enough(chromium, page):
    visit = Visit(chromium, page)
    view = visit.page
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.className") == "skip"
    view.locator("#tab-classes").focus()
    view.keyboard.press("ArrowRight")
    assert view.evaluate("document.activeElement.id") == "tab-filters"
    assert view.locator("#list-filters").is_visible()
    assert not view.locator("#list-classes").is_visible()
    view.locator("#list-filters a").first.focus()
    view.keyboard.press("ArrowDown")
    view.keyboard.press("ArrowDown")
    view.keyboard.press("ArrowUp")
    view.keyboard.press("Enter")
    wait_for_heading(view, "filter 1")
    view.locator("#search").fill("12")
    assert view.locator("#list-filters li:visible").count() == 1
    view.locator("#search").fill("")
    box = view.locator("#panel input[type=checkbox]")
    box.focus()
    view.keyboard.press("Space")
    assert not view.locator("#panel canvas").first.is_visible()
    visit.check()


def test_a_heading_sorts_the_classes(chromium, page):
    visit = Visit(chromium, page)
    recalls = "[...document.querySelectorAll('#class-table tbody tr')]"
    recalls += ".map(row => Number(row.cells[2].dataset.value))"
    button = visit.page.locator("#class-table thead button").nth(2)
    for sign in (-1, 1):
        button.click()
        found = visit.page.evaluate(recalls)
        assert found == sorted(found, key=lambda recall: sign * recall)
    visit.check()


def test_details_open_and_a_cell_of_the_gate_leads_to_its_filter(
    chromium, page
):
    visit = Visit(chromium, page)
    for summary in visit.page.locator("summary").all():
        summary.click()
    visit.scroll_through()
    place = visit.page.locator("#chart-gate .nsewdrag").first
    place.scroll_into_view_if_needed()
    place.click(position={"x": 4, "y": 4})
    visit.page.wait_for_function("location.hash.startsWith('#filter-')")
    visit.check()


def test_on_paper_everything_is_open_and_drawn(chromium, page):
    visit = Visit(chromium, page, scheme="dark")
    visit.page.emulate_media(media="print", color_scheme="dark")
    visit.page.wait_for_timeout(500)
    assert visit.page.locator("details:not([open])").count() == 0
    assert visit.page.locator(".plot svg.main-svg").count() >= 7
    assert visit.colour("body") == "rgb(0, 0, 0)"
    assert not visit.page.locator(".contents").is_visible()
    assert len(visit.page.pdf()) > 50_000
    visit.check()


def test_what_a_screen_reader_needs_is_there(chromium, page):
    visit = Visit(chromium, page)
    visit.scroll_through()
    lacking = visit.page.evaluate(
        """() => [...document.querySelectorAll("img:not([alt])")].length
          + [...document.querySelectorAll(".plot")]
              .filter((p) => p.getAttribute("role") !== "img"
                || !p.getAttribute("aria-label")).length
          + [...document.querySelectorAll("button, a[href], summary")]
              .filter((b) => !b.textContent.trim() && !b.title
                && !b.dataset.title && !b.getAttribute("aria-label")).length
          + [...document.querySelectorAll("table th:not([scope])")].length
          + (document.querySelectorAll("h1").length - 1)"""
    )
    assert lacking == 0
    visit.check()
