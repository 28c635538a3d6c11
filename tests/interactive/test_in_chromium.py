"""The page in a browser, with a picture that a camera might have taken."""

import contextlib
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.interactive.workbench import Workbench
from keras_csg.training import Run
from tests.source_tree import ROOT
from tests.tiny_run import make_tiny_run

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--use-fake-ui-for-media-stream --use-fake-device-for-media-stream"
)
# What the page made of them would be an element, a dialogue or a sum.
NAMES = [
    f"<img src=x onerror=alert({n})> {{{{{n}}}}} ${{{n}+1}} <b>_{n}_</b>"
    for n in range(10)
]
WAIT = 30_000


@pytest.fixture(scope="module")
def browser():
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("pip install 'keras-csg[app]'")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="pip install playwright"
    )
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=path, args=ARGUMENTS.split()
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that knows most digits, by names that are markup."""
    keras.utils.set_random_seed(1)
    renamed = ",".join(f"{n}={name}" for n, name in enumerate(NAMES))
    digits = keras_csg.load_data("digits", image_size=8, rename_classes=renamed)
    path = make_tiny_run(
        tmp_path_factory.mktemp("runs") / "digits",
        digits,
        epochs=8,
        options={"rename_classes": renamed},
    )
    run = Run(path)
    model = run.load_model()
    # Each class has two filters of its own.
    gate = np.tile(np.eye(10, dtype="float32"), 2)
    model.gate.gate_matrix.assign(gate)
    run.save_model(model)
    return run


@pytest.fixture(scope="module")
def digit(run, tmp_path_factory):
    """A picture whose class is another without its own filters; both names."""
    bench = Workbench(run.load_model(), "digits")
    digits = keras_csg.load_data("digits", image_size=8)
    images, _ = digits.test.images_and_labels()
    path = tmp_path_factory.mktemp("pictures") / "digit.png"
    for image in images:
        pixels = np.asarray(image).clip(0, 255).astype("uint8")
        Image.fromarray(pixels).resize((96, 64)).save(path)
        look = bench.open(path)
        without = bench.answer(bench.without_own(look)).now
        then = int(without.predicted.classes[0])
        if then != look.shown:
            return path, NAMES[look.shown], NAMES[then]
    raise AssertionError("no digit hangs on the filters of its class")


@pytest.fixture(scope="module")
def url(run, tmp_path_factory):
    """The address of the run's page, served by the command."""
    folder = tmp_path_factory.mktemp("served")
    code = "from keras_csg_cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "app", str(run), "--no-browser"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as served:
        yield served.stdout.readline().strip()
        assert [*folder.glob("keras-csg-app-*")]
        served.send_signal(signal.SIGTERM)
        _, told = served.communicate(timeout=60)
    assert not [*folder.glob("keras-csg-app-*")]
    assert served.returncode == 0, told
    assert "Traceback" not in told


@contextlib.contextmanager
def page_at(browser, url, **options):
    """A visitor's page, which must neither complain nor ask elsewhere."""
    context = browser.new_context(**options)
    page = context.new_page()
    wrong = []
    page.on(
        "console",
        lambda m: wrong.append(m.text) if m.type == "error" else None,
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    own = (url, "data:", f"blob:{url}")
    page.on(
        "request",
        lambda r: None if r.url.startswith(own) else wrong.append(r.url),
    )
    page.goto(url)
    page.wait_for_selector(
        "#csg-picture input[type=file]", state="attached", timeout=WAIT
    )
    yield page
    context.close()
    assert not wrong


def show(page, path):
    page.set_input_files("#csg-picture input[type=file]", path)
    page.wait_for_selector(".csg-headline", timeout=WAIT)


def wait_for(page, text, selector=".csg-headline"):
    page.locator(selector, has_text=text).wait_for(timeout=WAIT)


def test_a_picture_is_named_and_named_otherwise_without_filters(
    browser, url, digit
):
    path, name, other = digit
    with page_at(browser, url) as page:
        show(page, path)
        assert page.inner_text(".csg-headline").startswith(f"{name}, ")
        image = page.locator(".csg-heatmap img")
        assert image.evaluate("i => i.naturalWidth / i.naturalHeight") == 1.5
        assert page.locator(".csg-crops img").count() > 10
        box = page.locator(".csg-box input[type=checkbox]").first
        label = page.locator(".csg-box").first.inner_text()
        number, owner = re.fullmatch(
            r"filter (\d+) of (.+): [+-]\d+\.\d\d", label.strip()
        ).groups()
        assert owner in NAMES
        box.uncheck()
        wait_for(page, f"Without filter {number}: ")
        page.get_by_role("button", name="All filters of this class").click()
        wait_for(page, f": {other}, ")
        assert page.locator(".csg-now", has_text=name).count()
        assert not box.is_checked()
        page.get_by_role("button", name="All on").click()
        page.wait_for_selector(".csg-before", state="detached", timeout=WAIT)
        assert page.inner_text(".csg-headline").startswith(f"{name}, ")
        assert box.is_checked()


def test_another_class_can_be_looked_at(browser, url, digit):
    path, name, other = digit
    with page_at(browser, url) as page:
        show(page, path)
        page.locator("#csg-class input").click()
        page.get_by_role("option", name=other).click()
        wait_for(page, f"evidence for {other}", ".csg-heatmap figcaption")
        wait_for(page, f"Why {name}, not {other}", ".csg-answers li")


def test_an_example_of_the_test_split_is_answered(browser, url):
    with page_at(browser, url) as page:
        page.locator(".gallery-item, button.gallery-item").first.click()
        page.wait_for_selector(".csg-headline", timeout=WAIT)


def test_the_camera_takes_a_picture(browser, url):
    with page_at(browser, url) as page:
        page.get_by_role("button", name="Capture from camera").click()
        page.get_by_text("Click to Access Webcam").click()
        page.wait_for_function(
            "document.querySelector('#csg-picture video')?.videoWidth > 0",
            timeout=WAIT,
        )
        page.get_by_role("button", name="capture photo").click(timeout=WAIT)
        page.wait_for_selector(".csg-headline", timeout=WAIT)


def test_two_visitors_do_not_mix(browser, url, digit):
    path, name, _ = digit
    with page_at(browser, url) as one, page_at(browser, url) as two:
        show(one, path)
        show(two, path)
        one.get_by_role("button", name="All filters of this class").click()
        wait_for(one, re.compile(r"^Without filter \d+, filter \d+: "))
        two.locator(".csg-box input[type=checkbox]").last.uncheck()
        wait_for(two, re.compile(r"^Without filter \d+: "))


def test_what_is_no_picture_is_said_in_the_page(browser, url, tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    with page_at(browser, url) as page:
        page.set_input_files(
            "#csg-picture input[type=file]", tmp_path / "notes.png"
        )
        wait_for(page, "notes.png cannot be read as a picture", ".csg-message")
        assert not page.locator(".csg-headline").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_need_not_scroll_sideways(browser, url, digit, scheme):
    with page_at(
        browser,
        url,
        viewport={"width": 390, "height": 844},
        color_scheme=scheme,
    ) as page:
        show(page, pathlib.Path(digit[0]))
        assert page.evaluate("document.documentElement.scrollWidth") == 390
