"""Where the runtime for browsers comes from, and what is refused."""

import functools
import http.server
import threading

import pytest

from keras_csg.deployment.web import runtime
from keras_csg.deployment.web.runtime import find_runtime
from tests.deployment.web.npm import FILES, package, pin_small_package


@pytest.fixture
def pinned(monkeypatch, tmp_path):
    return pin_small_package(monkeypatch, tmp_path)


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Gives a folder that is served as a registry, and what it was asked."""
    asked, root = [], tmp_path / "registry"
    folder = root / "onnxruntime-web" / "-"
    folder.mkdir(parents=True)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *about):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv(
        "npm_config_registry", f"http://127.0.0.1:{server.server_port}/"
    )
    yield folder / f"onnxruntime-web-{runtime.VERSION}.tgz", asked
    server.shutdown()
    server.server_close()
    thread.join()


def kept(tmp_path):
    name = f"onnxruntime-web-{runtime.VERSION}"
    return tmp_path / "caches" / "keras-csg" / name


def test_it_is_fetched_once_and_said(pinned, registry, tmp_path):
    path, asked = registry
    path.write_bytes(pinned)
    lines = []
    assert find_runtime(log=lines.append) == FILES
    assert len(lines) == 2 and "Fetching" in lines[0]
    assert str(kept(tmp_path)) in lines[1]
    assert find_runtime(log=lines.append) == FILES
    assert len(asked) == 1 and len(lines) == 2
    assert not list(tmp_path.rglob("evil"))


def test_a_damaged_copy_is_fetched_anew(pinned, registry, tmp_path):
    path, asked = registry
    path.write_bytes(pinned)
    find_runtime()
    (kept(tmp_path) / runtime.MODULE).write_bytes(b"modul")
    assert find_runtime() == FILES
    assert len(asked) == 2


def test_another_package_than_the_pinned_one_is_refused(
    pinned, registry, tmp_path
):
    path, _ = registry
    path.write_bytes(package({**FILES, runtime.MODULE: b"other"}))
    with pytest.raises(ValueError, match="is not onnxruntime-web .*integrity"):
        find_runtime()
    assert not [p for p in kept(tmp_path).iterdir() if p.name != ".lock"]
    with pytest.raises(ValueError, match="integrity"):
        find_runtime(path)


def test_a_registry_without_it_is_named_with_the_way_out(pinned, registry):
    with pytest.raises(ValueError, match=r"127\.0\.0\.1.*not found.*`ort_web`"):
        find_runtime()


def test_no_network_is_one_line_without_passwords(pinned, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://me:secret@127.0.0.1:9/")
    with pytest.raises(ValueError, match="Cannot fetch .*npm pack") as caught:
        find_runtime()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_that_is_none_is_named(pinned, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "file:///etc")
    with pytest.raises(ValueError, match="npm_config_registry must be"):
        find_runtime()


def test_a_file_of_npm_does_without_a_network(pinned, tmp_path):
    (tmp_path / "ort.tgz").write_bytes(pinned)
    assert find_runtime(tmp_path / "ort.tgz") == FILES
    assert not kept(tmp_path).exists()


@pytest.mark.parametrize("inside", ["", "dist", "package/dist"])
def test_a_folder_does_without_a_network(inside, pinned, tmp_path):
    dist = tmp_path / "unpacked" / inside
    dist.mkdir(parents=True)
    for name, data in FILES.items():
        (dist / name).write_bytes(data)
    assert find_runtime(tmp_path / "unpacked") == FILES


def test_what_is_no_package_is_named(pinned, tmp_path):
    with pytest.raises(ValueError, match="Cannot read .*nowhere"):
        find_runtime(tmp_path / "nowhere")
    (tmp_path / "text").write_text("text")
    with pytest.raises(ValueError, match="text is not onnxruntime-web"):
        find_runtime(tmp_path / "text")
    with pytest.raises(ValueError, match=r"is not the folder.*lacks ort\.wasm"):
        find_runtime(tmp_path)
    (tmp_path / runtime.SCRIPT).write_bytes(FILES[runtime.SCRIPT])
    with pytest.raises(ValueError, match="lacks ort-wasm"):
        find_runtime(tmp_path)
    (tmp_path / runtime.MODULE).write_bytes(b"of another version")
    with pytest.raises(ValueError, match="ort-wasm.* is not that of"):
        find_runtime(tmp_path)


def test_a_cache_that_cannot_be_written_is_named(pinned, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ValueError, match="Cannot keep .*`ort_web`"):
        find_runtime()
