"""Images that are programs, pipes or too large: one line, and at once."""

import ast
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

import keras_csg
from keras_csg.backbones.weights import read_model_file
from keras_csg.backbones.weights.source import find_source
from keras_csg.commands.filter_names_file import read_filter_names
from keras_csg.data import image_files
from keras_csg.data.image_reading import PLAIN
from keras_csg.data.sources import folder_boxes
from keras_csg.data.sources.labels_file import table_rows
from keras_csg.data.sources.tables import read_text
from keras_csg.training import class_weights
from keras_csg.training.config_files import read_config
from tests.source_tree import ROOT, parse

EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 8 8
%%EndComments
(%pipe%touch started) (w) file
showpage
%%EOF
"""


@pytest.fixture(autouse=True)
def at_once():
    """Ends what reads for ever."""

    def fail(*_):
        raise TimeoutError("it was read")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=["pipe", "socket", "endless", "folder"])
def no_file(request, tmp_path):
    """Returns what makes something that is no file of a name."""

    def make(name):
        path = tmp_path / name
        if request.param == "pipe":
            os.mkfifo(path)
        elif request.param == "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                os.chdir(tmp_path)  # Their paths are short.
                bound.bind(name)
        elif request.param == "endless":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()
        return path

    before = os.getcwd()
    yield make
    os.chdir(before)


@pytest.mark.parametrize(
    "name, read",
    [
        ("x.png", PLAIN.decode),
        ("x.csv", lambda path, _: read_text(path)),
        ("x.toml", lambda path, _: read_config(path)),
        ("x.json", lambda path, _: read_filter_names(path, 4)),
        ("x.weights.h5", lambda path, _: find_source(path)),
        ("x.keras", lambda path, _: read_model_file(path)),
        ("x.onnx", lambda path, _: keras_csg.open_exported(path)),
        ("x.tflite", lambda path, _: keras_csg.open_exported(path)),
        ("x.png", lambda path, _: keras_csg.predict("weights:cifar10", path)),
    ],
)
def test_what_is_no_file_is_refused(name, read, no_file):
    with pytest.raises((ValueError, OSError)) as raised:
        read(no_file(name), (4, 4))
    assert "\n" not in str(raised.value)
    assert not isinstance(raised.value, TimeoutError)


@pytest.mark.parametrize(
    "name, read",
    [
        ("boxes.json", lambda path: [*folder_boxes._from_coco(path, None)]),
        ("labels.jsonl", lambda path: [*table_rows(path)]),
        ("x.json", class_weights._read),
        ("x.json", lambda path: read_filter_names(path, 4)),
    ],
)
@pytest.mark.parametrize(
    "text, words",
    [
        ('{"images": ' + "[" * 100_000, "`images` is nested too deep"),
        ('{"file": NaN}', "`file`: NaN is no number"),
    ],
)
def test_json_that_people_wrote_is_one_line(name, read, text, words, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=words) as raised:
        read(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)


def test_a_broken_file_says_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "x.png")
    assert not PLAIN.is_whole(tmp_path / "x.png")
    assert image_files.probe_size(tmp_path / "x.png") is None
    with pytest.raises(OSError, match="a pipe, a socket or a device"):
        PLAIN.decode(tmp_path / "x.png", (4, 4))


def test_a_link_to_a_file_is_one(tmp_path):
    Image.new("RGB", (8, 8), (9, 80, 200)).save(tmp_path / "x.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "x.png")
    pixels = PLAIN.decode(tmp_path / "link.png", (4, 4))
    assert_array_equal(pixels[0, 0], (9, 80, 200))


def test_no_program_is_started_for_an_image(tmp_path, monkeypatch):
    """Pillow hands EPS to Ghostscript, whatever the file is called."""
    started = tmp_path / "started"
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {started}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    path = tmp_path / "x.jpg"
    path.write_bytes(EPS)
    with pytest.raises(OSError, match="cannot identify"):
        PLAIN.decode(path, (4, 4))
    assert not PLAIN.is_whole(path)
    assert not started.exists()
    formats = image_files.known_formats()
    assert {"JPEG", "PNG", "WEBP", "TIFF"} <= set(formats)
    assert not {"EPS", "WMF", "IPTC", "FITS", "MPEG"} & set(formats)


def test_formats_are_named_wherever_an_image_is_opened():
    found, checked = [], 0
    for folder in ("keras_csg", "cli", "examples", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(parse(path)):
                if _opens(node):
                    checked += 1
                    if not any(k.arg == "formats" for k in node.keywords):
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert checked and not found


def _opens(node):
    """Whether it is a call of Pillow's `open`."""
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    return name.endswith("Image.open") or name in ("imread", "plt.imread")


MEASURE = """
import resource, sys
from keras_csg.data.image_reading import PLAIN
PLAIN.decode(sys.argv[1], (32, 32))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("mode, size", [("RGB", 4), ("RGBA", 8)])
def test_a_large_image_is_in_memory_but_once(mode, size, tmp_path):
    """Four bytes a pixel, and as many again under what is transparent."""
    side = 5000
    path = tmp_path / "x.png"
    Image.new(mode, (side, side), (9, 80, 200, 90)[: len(mode)]).save(path)
    peak = [
        int(
            subprocess.run(
                [sys.executable, "-c", MEASURE, file],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for file in (small(tmp_path, mode), path)
    ]
    unit = 1024 if sys.platform == "linux" else 1
    assert (peak[1] - peak[0]) * unit < side * side * size + 64 * 2**20


def small(folder, mode):
    Image.new(mode, (8, 8)).save(folder / "small.png")
    return folder / "small.png"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_strips_on_a_ground_are_the_whole(mode, monkeypatch):
    import keras_csg.data.image_colors as image_colors

    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (37, 23, 4), "uint8"))
    image = image.convert(mode)
    if mode == "P":
        image.info["transparency"] = bytes(range(256))
    whole = image_colors.as_rgb(image, None, "#123456")
    monkeypatch.setattr(image_colors, "STRIP", 100)
    parts = image_colors.as_rgb(image, None, "#123456")
    assert_array_equal(np.asarray(whole), np.asarray(parts))


def test_a_given_image_stays_as_it_was():
    image = Image.new("RGB", (8, 8))
    whole = PLAIN.whole(image)
    whole.putpixel((0, 0), (9, 9, 9))
    assert image.getpixel((0, 0)) == (0, 0, 0)


def test_too_many_pixels_are_one_line_with_the_way_out(tmp_path):
    path = tmp_path / "x.png"
    Image.new("1", (400, 60)).save(path)
    with pytest.raises(ValueError, match="400x60 pixels, more than `max_pix"):
        keras_csg.predict("weights:cifar10", path, max_pixels=20_000)
