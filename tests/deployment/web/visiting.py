"""Opens the page as a visitor does, and looks at what it answers."""

import contextlib
import functools
import http.server
import threading

import numpy as np
import pytest

import keras_csg

WAIT = 60_000
ANSWER = """
void (window.answered = new Promise((done) =>
  document.addEventListener("answer", ({ detail }) => {
    const { values, ...map } = detail.heatmap ?? {};
    const heatmap = detail.heatmap && { ...map, values: Array.from(values) };
    done({ ...detail, outputs: Object.keys(detail.outputs), heatmap });
  }, { once: true })))
"""


@contextlib.contextmanager
def served(folder, headers=()):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *about):
            pass

        def end_headers(self):
            for name, value in headers:
                self.send_header(name, value)
            super().end_headers()

    handler = functools.partial(Handler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Visit:
    """A page with a network, and what it complains of and asks elsewhere."""

    def __init__(self, chromium, url, **context):
        self.context = chromium.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self.complaints, self.elsewhere = [], []
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", lambda d: self.complaints.append(d.message))
        self.page.on("request", self._asked)
        self._url = url
        self.page.goto(url)

    def _asked(self, request):
        if not request.url.startswith((self._url, "blob:", "data:")):
            self.elsewhere.append(request.url)

    def loaded(self):
        self.page.wait_for_selector("#workbench:not([hidden])")
        return self

    def ask(self, path):
        self.page.evaluate(ANSWER)
        self.page.set_input_files("#file", path)
        return self.page.evaluate("window.answered")

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def check(self):
        assert not self.complaints, self.complaints
        assert not self.elsewhere, self.elsewhere
        self.context.close()


def assert_as_predict_says(answer, folder, path):
    (expected,) = keras_csg.predict(folder, path, top=5)
    names = [entry["name"] for entry in answer["classes"]]
    assert names == [entry["class_name"] for entry in expected["classes"]]
    np.testing.assert_allclose(
        [entry["probability"] for entry in answer["classes"]],
        [entry["probability"] for entry in expected["classes"]],
        atol=1e-3,
    )
    if "class_specific" in expected:
        # Of several classes all that are there, else the best.
        known = expected["class_specific"]
        known = known if isinstance(known, list) else [known]
        shown = {
            entry["name"]: entry["specific"] for entry in answer["classes"]
        }
        for entry in known:
            probability = pytest.approx(entry["probability"], abs=1e-3)
            assert shown[entry["class_name"]] == probability
    filters = [entry["filter"] for entry in answer["filters"]]
    assert filters == [entry["filter"] for entry in expected["filters"]]
    np.testing.assert_allclose(
        [entry["share"] for entry in answer["filters"]],
        [entry["share"] for entry in expected["filters"]],
        atol=1e-3,
    )


def assert_same_heatmap(answer, folder, path):
    exported = keras_csg.open_exported(folder)
    size = exported.metadata.input["shape"][1:3]
    image = exported.metadata.reading.decode(path, size)
    expected = exported.answer(
        image[None].astype(exported.metadata.input["dtype"])
    )["heatmap"][0]
    given = np.array(answer["heatmap"]["values"]).reshape(expected.shape)
    np.testing.assert_allclose(given, expected, atol=1e-3)
    assert given.argmax() == expected.argmax()
