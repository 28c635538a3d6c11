"""The example that asks a server: what it prints, and what it needs."""

import ast
import importlib.util
import sys

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
        load().main([url, str(photo), str(text), str(photo)])
    first, wrong, last = capsys.readouterr().out.splitlines()
    # (20 * 200 + 1) / (20 * 249 + 3)
    assert first == last == f"{photo}: {NAMES[1]}, probability 0.803"
    assert wrong.startswith(f"{text}: ") and "neither JSON" in wrong


def test_agreement_is_told_where_there_is_a_gate():
    answer = {
        "classes": [{"class_name": "bee", "probability": 0.25}],
        "gate_agreement": 0.5,
    }
    assert load().describe(answer) == (
        "bee, probability 0.250, its own filters alone 0.500"
    )


def test_it_needs_the_standard_library_alone():
    names = set()
    for node in ast.walk(ast.parse(PATH.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    assert names <= sys.stdlib_module_names
