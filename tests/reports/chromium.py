"""A browser without a window, where the machine has one."""

import contextlib
import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def browser(*more):
    """Gives playwright's browser; skips the test where there is none.

    Args:
        *more: str, arguments of Chromium.
    """
    api = pytest.importorskip(
        "playwright.sync_api", reason="`pip install playwright` is missing"
    )
    path = next(filter(None, map(shutil.which, NAMES)), None)
    path = os.environ.get("CHROMIUM", path)
    if path is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS, *more]
        )
        try:
            yield started
        finally:
            started.close()


class Visit:
    """A page that is looked at, and all that it asks for or complains of."""

    def __init__(self, browser, path, width=1280, scheme="light"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", lambda d: self.complaints.append(d.message))
        self.page.on("request", self._asked)
        self.page.goto(path.as_uri())

    def _asked(self, request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.requests.append(request.url)

    def scroll_through(self):
        """Scrolls down to the end, so that all charts are drawn."""
        self.page.evaluate(
            """async () => {
              for (let y = 0; y < document.body.scrollHeight; y += 500) {
                window.scrollTo({ top: y, behavior: "instant" });
                await new Promise((done) => setTimeout(done, 30));
              }
            }"""
        )

    def colour(self, selector, name="color"):
        """Returns the colour of an element as the browser computed it."""
        return self.page.eval_on_selector(
            selector, f"e => getComputedStyle(e).getPropertyValue('{name}')"
        )

    def check(self):
        assert not self.complaints, self.complaints
        assert not self.requests, self.requests
        self.context.close()
