"""The example that asks a server: what it prints, and what it needs."""

import ast
import importlib.util
import sys

import pytest
from PIL import Image

from tests.serving import stand_in
from tests.serving.stand_in import NAME, NAMES
from tests.source_tree import ROOT

PATH = ROOT / "examples" / "serve" / "ask.py"


def load():
    spec = importlib.util.spec_from_file_location("ask", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_prints_a_line_for_each_file(tmp_path, capsys):
    photo, text = tmp_path / "photo.png", tmp_path / "text.jpg"
    Image.new("RGB", (5, 4), (9, 200, 40)).save(photo)
    text.write_text("no photograph")
    with stand_in.served() as server:
        url = f"http://127.0.0.1:{server.port}/v2/models/{NAME}"
        code = load().main([url, str(photo), str(text), str(photo)])
    out, err = capsys.readouterr()
    first, last = out.splitlines()
    (wrong,) = err.splitlines()
    assert code == 2
    # (20 * 200 + 1) / (20 * 249 + 3)
    assert first == last == f"{photo}: {NAMES[1]}, probability 0.803"
    assert wrong.startswith(f"{text}: ") and "neither JSON" in wrong


def test_what_is_answered_is_no_mistake(tmp_path, capsys):
    photo = tmp_path / "photo.png"
    Image.new("RGB", (5, 4)).save(photo)
    with stand_in.served() as server:
        url = f"http://127.0.0.1:{server.port}/v2/models/{NAME}"
        assert load().main([url, str(photo)]) == 0
    assert capsys.readouterr().err == ""


def test_a_model_that_is_not_there_is_a_mistake(tmp_path, capsys):
    photo = tmp_path / "photo.png"
    Image.new("RGB", (5, 4)).save(photo)
    with stand_in.served() as server:
        url = f"http://127.0.0.1:{server.port}"
        assert load().main([f"{url}/v2/models/none", str(photo)]) == 2
        unknown = capsys.readouterr()
        assert load().main([f"{url}/elsewhere", str(photo)]) == 2
    for out, err in (unknown, capsys.readouterr()):
        assert out == "" and len(err.splitlines()) == 1
        assert err.startswith(f"{photo}: ")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v2", "nowhere"])
def test_without_a_server_or_a_photo_each_file_gets_a_line(
    url, tmp_path, capsys
):
    photo = tmp_path / "photo.png"
    photo.touch()
    assert load().main([url, str(photo), str(tmp_path / "none.png")]) == 2
    out, err = capsys.readouterr()
    here, missing = err.splitlines()
    assert out == "" and here.startswith(f"{photo}: no ") and url in here
    assert missing.endswith(
        "none.png: cannot be read: No such file or directory"
    )


def test_agreement_is_told_where_there_is_a_gate():
    answer = {
        "classes": [{"class_name": "bee", "probability": 0.25}],
        "gate_agreement": 0.5,
    }
    assert load().describe(answer) == (
        "bee, probability 0.250, its own filters alone 0.500"
    )


def test_what_is_none_of_the_classes_is_told():
    answer = {
        "classes": [{"class_name": "bee", "probability": 0.25}],
        "anomaly_score": 0.971,
        "known": False,
    }
    assert load().describe(answer) == (
        "not one of the known classes; the nearest is bee, probability 0.250, "
        "anomaly score 0.97"
    )
    assert load().describe(answer | {"known": True}).startswith("bee, ")


def test_it_needs_the_standard_library_alone():
    names = set()
    for node in ast.walk(ast.parse(PATH.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    assert names <= sys.stdlib_module_names
