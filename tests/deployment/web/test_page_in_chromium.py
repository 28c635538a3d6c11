"""What visitors do on the page, and what it says when that goes wrong."""

import pathlib
import shutil

import pytest
from PIL import Image

from tests.deployment.detecting import detecting, images_to_ask
from tests.deployment.trained import trained_classifier
from tests.deployment.web.visiting import ANSWER, Visit, served

pytestmark = pytest.mark.slow
COUNT = """
window.answers = 0;
void (window.third = new Promise((done) =>
  document.addEventListener("answer", () => ++window.answers === 3 && done())))
"""


@pytest.fixture(scope="module")
def folder(export):
    names = [f"a class of a very long name, {'x' * 60}{n}" for n in range(4)]
    return export(trained_classifier(class_names=names))


def test_pictures_come_by_drop_and_by_the_clipboard(chromium, folder, tmp_path):
    path = tmp_path / "image.png"
    Image.new("RGB", (30, 20), "red").save(path)
    make = """(bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "a.png"));
      return transfer;
    }"""
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        page = visit.page
        transfer = page.evaluate_handle(make, list(path.read_bytes()))
        page.dispatch_event("#stage", "dragenter", {"dataTransfer": transfer})
        assert page.locator(".drop-sign").is_visible()
        page.evaluate(ANSWER)
        page.dispatch_event("#stage", "drop", {"dataTransfer": transfer})
        assert page.evaluate("window.answered")["classes"]
        assert not page.locator(".drop-sign").is_visible()
        page.evaluate(ANSWER)
        page.evaluate(
            "(data) => document.dispatchEvent(new ClipboardEvent('paste', "
            "{ clipboardData: data }))",
            transfer,
        )
        assert page.evaluate("window.answered")["classes"]
        visit.check()


def test_what_it_does_not_know_is_told_in_words(chromium, export, tmp_path):
    model, detector = detecting()
    folder = export(model, detector=detector, images=images_to_ask())
    Image.new("RGB", (8, 8), "black").save(tmp_path / "black.png")
    pixels = images_to_ask()[0].round().astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "usual.png")
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        answer = visit.ask(tmp_path / "black.png")
        assert answer["known"] is False
        assert visit.text("#headline") == "Not one of the classes it knows"
        nearest = answer["classes"][0]["name"]
        said = visit.text("#familiarity")
        assert said.startswith("It is unlike what this network knows. Strang")
        assert f"The nearest is {nearest}; what follows is of it." in said
        answer = visit.ask(tmp_path / "usual.png")
        assert answer["known"] is True
        assert visit.text("#familiarity").startswith("It is like what this")
        assert visit.text("#headline").startswith(answer["classes"][0]["name"])
        visit.check()


def test_mistakes_are_told_in_words(chromium, folder, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        visit.page.set_input_files("#file", tmp_path / "notes.txt")
        visit.page.wait_for_selector("#error:not([hidden])")
        assert "“notes.txt” is no picture" in visit.text("#error")
        visit.page.click("#camera")
        said = visit.page.locator("#error", has_text="camera")
        said.wait_for()
        assert visit.page.locator("#camera").inner_text() == "Use the camera"
        visit.page.click("#example")
        visit.page.wait_for_selector("#error", state="hidden")
        visit.check()


def test_what_is_missing_beside_the_page_is_named(chromium, folder, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "model.onnx").unlink()
    with served(broken) as url:
        visit = Visit(chromium, url)
        visit.page.wait_for_selector("#loading[role=alert]")
        assert "model.onnx is not beside the page" in visit.text("#loading")


def test_opened_as_a_file_it_says_how_to_serve_it(chromium, folder):
    page = chromium.new_page()
    page.goto((pathlib.Path(folder) / "index.html").as_uri())
    assert "python -m http.server" in page.locator("#file-hint").inner_text()
    assert not page.locator("#loading").is_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_wider_than_the_screen(chromium, folder, width, scheme):
    with served(folder) as url:
        visit = Visit(
            chromium,
            url,
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
        ).loaded()
        visit.page.evaluate(ANSWER)
        visit.page.click("#example")
        visit.page.evaluate("window.answered")
        wide = visit.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        visit.check()


def test_the_camera_is_answered_live_and_stops(chromium, folder):
    with served(folder) as url:
        visit = Visit(chromium, url, permissions=["camera"]).loaded()
        page = visit.page
        page.evaluate(COUNT)
        page.click("#camera")
        page.evaluate("window.third")
        assert page.locator("#camera").inner_text() == "Stop the camera"
        # It would be read out several times a second.
        assert visit.text("#said") == ""
        page.click("#camera")
        page.wait_for_timeout(700)
        seen = page.evaluate("window.answers")
        page.wait_for_timeout(700)
        assert page.evaluate("window.answers") == seen
        assert page.locator("#canvas").is_visible()
        video = "document.getElementById('video').srcObject"
        assert page.evaluate(video) is None
        visit.check()


def test_the_keyboard_is_enough(chromium, folder):
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        page = visit.page
        focused = []
        for _ in range(6):
            page.keyboard.press("Tab")
            focused.append(page.evaluate("document.activeElement.id || 'skip'"))
        assert focused[:4] == ["skip", "file", "camera", "example"]
        page.focus("#example")
        page.evaluate(ANSWER)
        page.keyboard.press("Enter")
        page.evaluate("window.answered")
        assert visit.text("#said") == visit.text("#headline")
        page.focus("#strength")
        page.keyboard.press("Home")
        assert page.evaluate("document.getElementById('strength').value") == "0"
        visit.check()
