"""The folder for browsers: what is in it, and what becomes of an older one."""

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
    (folder / "script_of_an_older_page.js").touch()
    with pytest.raises(ValueError, match="birds.*--force"):
        export(folder, package)
    export(folder, package, outputs=["class_id"], overwrite=True)
    assert "script_of_an_older_page.js" not in files_in(folder)
    assert list(read_metadata(folder).outputs) == ["class_id"]


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
