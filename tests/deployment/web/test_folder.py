"""The folder for browsers: what is in it, and what becomes of an older one."""

import hashlib
import json
import re

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.deployment import read_metadata
from keras_csg.deployment.web import runtime
from keras_csg.deployment.web.folder import PAGE, write_page
from tests.deployment.test_layouts import metadata
from tests.deployment.web.npm import FILES, pin_small_package
from tests.tiny import tiny_classifier

NAMES = ["<script>a</script>", "b\nc", "é", "d"]


@pytest.fixture
def pinned(monkeypatch, tmp_path):
    return pin_small_package(monkeypatch, tmp_path)


@pytest.fixture
def package(pinned, tmp_path):
    """A package of npm small enough for a test."""
    path = tmp_path / "ort.tgz"
    path.write_bytes(pinned)
    return path


def export(path, package, **options):
    model = tiny_classifier(class_names=NAMES)
    return keras_csg.export(
        model, path, layout="web", ort_web=package, **options
    )


def files_in(folder):
    found = (path.relative_to(folder) for path in folder.rglob("*"))
    return {path.as_posix() for path in found if (folder / path).is_file()}


def test_the_folder_holds_all_that_a_page_needs(package, tmp_path):
    folder = tmp_path / "site" / "birds"
    proof = export(folder, package)
    page = {path.name for path in PAGE.iterdir() if path.suffix != ".txt"}
    assert files_in(folder) == page | {
        "model.onnx",
        "keras_csg.json",
        "labels.json",
        "page.json",
        "written.json",
        "onnxruntime/ort.js",
        "onnxruntime/ort.wasm",
        "onnxruntime/LICENSE",
    }
    assert {p.name for p in folder.parent.iterdir()} == {
        "birds",
        "birds.proof.json",
    }
    assert proof["gaps"]["probabilities"] < 1e-4
    assert proof["bytes"] == (folder / "model.onnx").stat().st_size
    assert json.loads((folder / "labels.json").read_text("utf-8")) == NAMES
    about = json.loads((folder / "page.json").read_text("utf-8"))
    assert about["name"] == "birds"
    assert about["background"] == [255, 255, 255]
    script = (folder / "onnxruntime" / "ort.js").read_bytes()
    assert script == FILES[runtime.SCRIPT]
    licence = (folder / "onnxruntime" / "LICENSE").read_text("utf-8")
    assert "MIT License" in licence and "Microsoft" in licence


def test_the_folder_is_opened_as_any_exported_model(package, tmp_path):
    folder = tmp_path / "birds"
    export(folder, package, input_dtype="uint8")
    described = json.loads((folder / "keras_csg.json").read_text("utf-8"))
    assert read_metadata(folder).class_names == described["class_names"]
    exported = keras_csg.open_exported(folder)
    answers = exported.answer(np.zeros((1, 8, 8, 3), "uint8"))
    assert answers["probabilities"].shape == (1, 4)
    Image.new("RGB", (9, 9)).save(tmp_path / "image.png")
    (prediction,) = keras_csg.predict(folder, tmp_path / "image.png")
    assert prediction["classes"][0]["class_name"] in NAMES


def test_an_older_folder_is_replaced_where_that_is_asked_for(package, tmp_path):
    folder = tmp_path / "birds"
    export(folder, package)
    older = folder / "script_of_an_older_page.js"
    older.touch()
    written = json.loads((folder / "written.json").read_text())
    written[older.name] = hashlib.sha256().hexdigest()
    (folder / "written.json").write_text(json.dumps(written))
    with pytest.raises(ValueError, match="birds.*--force"):
        export(folder, package)
    export(folder, package, outputs=["class_id"], overwrite=True)
    assert older.name not in files_in(folder)
    assert list(read_metadata(folder).outputs) == ["class_id"]


def bytes_in(folder):
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


def test_what_a_person_changed_is_kept_while_the_rest_is_replaced(
    package, tmp_path
):
    folder = tmp_path / "birds"
    assert export(folder, package)["kept"] == []
    (folder / "index.html").write_text("<!doctype html>Mine")
    (folder / "style.css").unlink()
    for _ in range(2):  # It stays known as changed.
        proof = export(folder, package, outputs=["class_id"], overwrite=True)
        assert proof["kept"] == ["index.html"]
        assert (folder / "index.html").read_text() == "<!doctype html>Mine"
    assert (folder / "style.css").read_bytes() == (
        PAGE / "style.css"
    ).read_bytes()
    assert list(read_metadata(folder).outputs) == ["class_id"]
    (folder / "index.html").unlink()
    assert export(folder, package, overwrite=True)["kept"] == []
    assert (folder / "index.html").read_bytes() == (
        PAGE / "index.html"
    ).read_bytes()


@pytest.mark.parametrize("name", ["labels.json", "written.json"])
def test_what_was_changed_and_does_not_fit_stops_the_export(
    name, package, tmp_path
):
    """Names for classes of another model; a page nothing is known of."""
    folder = tmp_path / "birds"
    export(folder, package)
    if name == "written.json":  # An earlier version did not write it.
        (folder / name).unlink()
        name = "app.js"
    (folder / name).write_text('["A", "B", "C", "D"]')
    before = bytes_in(folder)
    with pytest.raises(ValueError, match=rf"{name} is not as.*move it away"):
        keras_csg.export(
            tiny_classifier(class_names=["w", "x", "y", "z"]),
            folder,
            layout="web",
            ort_web=package,
            overwrite=True,
        )
    assert bytes_in(folder) == before
    assert {path.name for path in tmp_path.iterdir()} == {
        "birds",
        "birds.proof.json",
        "ort.tgz",
    }


def test_a_page_of_an_earlier_version_is_replaced_where_it_is_as_now(
    package, tmp_path
):
    folder = tmp_path / "birds"
    export(folder, package)
    (folder / "written.json").unlink()
    assert export(folder, package, overwrite=True)["kept"] == []


def test_files_that_others_put_beside_are_never_ours(package, tmp_path):
    """Though they are called as ours are, in a folder of their own."""
    folder = tmp_path / "birds"
    export(folder, package)
    for recorded in (True, False):
        for name in ("pictures/index.html", "mine.html"):
            if name == "mine.html" and not recorded:
                continue  # An older page's may be called so.
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
            with pytest.raises(ValueError, match="files of others"):
                export(folder, package, overwrite=True)
            (folder / name).unlink()
        (folder / "written.json").unlink(missing_ok=True)


def test_a_list_of_what_was_written_names_nothing_outside(package, tmp_path):
    folder = tmp_path / "birds"
    export(folder, package)
    (tmp_path / "secret").write_text("mine")
    written = json.loads((folder / "written.json").read_text())
    written["../secret"] = written[str(tmp_path / "secret")] = "0"
    (folder / "written.json").write_text(json.dumps(written))
    assert export(folder, package, overwrite=True)["kept"] == []


def test_what_no_export_wrote_is_spared(package, tmp_path):
    folder = tmp_path / "birds"
    folder.mkdir()
    (folder / "notes.txt").touch()
    with pytest.raises(ValueError, match="no export wrote.*--force"):
        export(folder, package, overwrite=True)
    (folder / "notes.txt").unlink()
    folder.rmdir()
    export(folder, package)
    (folder / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"others in it \(notes\.txt\)"):
        export(folder, package, overwrite=True)
    assert (folder / "notes.txt").exists()


def test_a_page_has_no_versions(package, tmp_path):
    with pytest.raises(ValueError, match="web has no versions.*version=2"):
        export(tmp_path / "birds", package, version=2)


@pytest.mark.parametrize("background", ["hsv(210, 80%, 60%)", "#1f5f99"])
def test_colours_that_browsers_do_not_know_are_numbers(background, tmp_path):
    about = metadata()
    about.input["background"] = background
    write_page(tmp_path, about, {}, "birds")
    page = json.loads((tmp_path / "page.json").read_text("utf-8"))
    assert np.abs(np.subtract(page["background"], [31, 95, 153])).max() <= 8


def test_without_the_runtime_nothing_is_left(pinned, tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match="Cannot fetch .*`ort_web`"):
        export(tmp_path / "site" / "birds", None)
    assert not (tmp_path / "site").exists()


def test_the_runtime_is_for_the_layout_alone(package, tmp_path):
    with pytest.raises(ValueError, match="`ort_web` is for the layout web"):
        keras_csg.export(
            tiny_classifier(), tmp_path / "m.onnx", ort_web=package
        )
    assert not (tmp_path / "m.onnx").exists()


def test_the_page_asks_nobody_and_has_no_scripts_within():
    for path in PAGE.iterdir():
        text = path.read_text("utf-8")
        if path.suffix in (".html", ".js", ".css"):
            addresses = re.findall(r"https?://[\w.:/]*", text)
            assert set(addresses) <= {
                "http://localhost:8000",
                "https://",
                "http://localhost.",
            }, path
            assert "innerHTML" not in text and "eval(" not in text
    html = (PAGE / "index.html").read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy and "http" not in policy
    assert not re.findall(r"<script(?![^>]*src=)[^>]*>|\son\w+=|style=", html)


def test_scripts_import_only_what_is_beside_them():
    for path in PAGE.glob("*.js"):
        text = path.read_text("utf-8")
        for name in re.findall(r'(?:from |import\()"\./([^"]*)"', text):
            assert name == "onnxruntime/ort.js" or (PAGE / name).is_file()
