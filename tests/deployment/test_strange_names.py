"""Classes with any names, on machines with any encoding."""

import csv
import json
import os
import subprocess
import sys

import pytest
from PIL import Image

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.trained import trained_classifier, write_as

NAMES = ["grün\nblau", "日本", "7", "a\u2028b"]
PRINTED = ["grün\\nblau", "日本", "7", "a\\u2028b"]
# In files, where programs read.
ONE_LINE = ["grün blau", "日本", "7", "a b"]
COMMAND = "from keras_csg_cli.main import main; main()"
EXPORT = (
    "import keras_csg\n"
    "from tests.deployment.trained import trained_classifier\n"
    f"model = trained_classifier(class_names={NAMES!a})\n"
    "for name in ('a.onnx', 'a.tflite', 'a'): keras_csg.export(model, name)\n"
    "keras_csg.export(model, 'triton', layout='triton')"
)


def run_in_ascii(folder, *args):
    """Runs Python where the locale knows ASCII alone."""
    root = os.pathsep.join(sys.path)
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": root}
    return subprocess.run(
        [sys.executable, "-c", *map(str, args)],
        capture_output=True,
        env=os.environ | environment,
        cwd=folder,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strange")
    model = trained_classifier(class_names=NAMES)
    for name, file in (("onnx", "a.onnx"), ("saved_model", "a")):
        write_as(get_format(name), model, folder / file)
    Image.new("RGB", (9, 9), (250, 3, 8)).save(folder / "bïld.png")
    return folder


def test_labels_have_a_line_for_each(folder):
    text = (folder / "a/assets.extra/labels.txt").read_text("utf-8")
    assert text.splitlines() == ONE_LINE
    for name in ("a", "a.onnx"):
        assert keras_csg.read_metadata(folder / name).class_names == NAMES


def test_predictions_are_printed_and_written_in_ascii_s_locale(folder):
    args = (COMMAND, "predict", folder / "a.onnx", folder / "bïld.png")
    done = run_in_ascii(folder, *args, "--top", 4)
    assert done.returncode == 0, done.stderr
    (path, *lines) = done.stdout.decode("utf-8", "replace").splitlines()
    assert path.endswith("ld.png")
    assert {line.split("  ")[-1] for line in lines[:4]} == set(PRINTED)
    done = run_in_ascii(folder, *args, "--json")
    (found,) = json.loads(done.stdout)
    table = folder / "a.csv"
    assert run_in_ascii(folder, *args, "--out", table).returncode == 0
    with table.open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    best = found["classes"][0]["class_name"]
    assert row["class_name"] == best and best in NAMES


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_text_is_printed(encoding):
    """Letters the encoding lacks by number, a file's bytes as they are."""
    code = (
        "from keras_csg_cli.main import _print_any_name\n"
        "_print_any_name()\n"
        "print('ü日\\udcfe')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": f"{encoding}:strict"},
    )
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.strip()
        == {
            "ascii": rb"\xfc\u65e5\udcfe",
            "latin-1": rb"%b\u65e5\udcfe" % "ü".encode("latin-1"),
            "utf-8": "ü日".encode() + b"\xfe",
        }[encoding]
    )


@pytest.mark.slow
def test_files_are_exported_in_ascii_s_locale(tmp_path):
    done = run_in_ascii(tmp_path, EXPORT)
    assert done.returncode == 0, done.stderr
    for name in ("a.onnx", "a.tflite", "a", "triton"):
        assert keras_csg.read_metadata(tmp_path / name).class_names == NAMES
    labels = (tmp_path / "triton/labels.txt").read_text("utf-8")
    assert labels.splitlines() == ONE_LINE
