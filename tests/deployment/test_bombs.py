"""Files of a few megabytes that ask for gigabytes get none of them.

Each is opened by the command line in a process of its own, whose memory is
measured as the system counts it.
"""

import base64
import json
import os
import subprocess
import sys
import zipfile
import zlib

import pytest
from PIL import Image

from keras_csg.deployment.formats.litert import METADATA_FILE
from tests.source_tree import ROOT
from tests.untrusted.test_archives import GIB, write_zeros

EXPORTED = ROOT / "tests/compatibility/0.1.0/run/export"
ZEROS = bytes(2**24)
CODE = """
import pathlib, resource, sys
from keras_csg_cli.main import main
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv.pop(1)),) * 2)
out = pathlib.Path(sys.argv.pop(1))
try:
    main(sys.argv[1:])
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    out.write_text(status.partition("VmHWM:")[2].split()[0])
"""


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.png"
    Image.new("RGB", (32, 32)).save(path)
    return path


def refused(model, image, words, most=400, limit=3 * GIB):
    """Asserts that `predict` ends in one line, and takes few megabytes."""
    taken = image.with_suffix(".kilobytes")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CODE,
            str(limit),
            taken,
            "predict",
            model,
            image,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert int(taken.read_text()) / 1024 < most


def metadata_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(METADATA_FILE))


def litert_with(path, write):
    """Writes a LiteRT file with another archive after its model."""
    content = (EXPORTED / "model.tflite").read_bytes()
    path.write_bytes(content[: content.index(b"PK\x03\x04")])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        write(archive)
    return path


def test_metadata_of_gigabytes_are_not_unpacked(image, tmp_path):
    def write(archive):
        with archive.open(METADATA_FILE, "w", force_zip64=True) as stream:
            for _ in range(GIB // len(ZEROS)):
                stream.write(ZEROS)

    path = litert_with(tmp_path / "a.tflite", write)
    assert path.stat().st_size < 2**21
    refused(path, image, "it unpacks to 1.0 GiB, and the file has")


def test_a_gate_of_gigabytes_is_not_unpacked(image, tmp_path):
    values = metadata_of(EXPORTED / "model.tflite")
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(ZEROS) for _ in range(64)) + packer.flush()
    values["gate_matrix"]["data"] = base64.b64encode(data).decode()
    classes, filters = values["gate_matrix"]["shape"]
    path = litert_with(
        tmp_path / "a.tflite",
        lambda archive: archive.writestr(METADATA_FILE, json.dumps(values)),
    )
    refused(path, image, "`gate_matrix.data` must have as many numbers")
    values["gate_matrix"]["shape"] = [classes, 2**28 // classes]
    path = litert_with(
        path,
        lambda archive: archive.writestr(METADATA_FILE, json.dumps(values)),
    )
    refused(path, image, f"`gate_matrix.shape` must be [{classes}, {filters}]")


@pytest.mark.slow
def test_an_input_of_gigabytes_is_not_made(image, tmp_path):
    values = metadata_of(EXPORTED / "model.tflite")
    values["input"]["shape"] = [None, 30_000, 30_000, 3]
    path = litert_with(
        tmp_path / "a.tflite",
        lambda archive: archive.writestr(METADATA_FILE, json.dumps(values)),
    )
    refused(path, image, "`input.shape` must be that of images of at most")
    values["input"]["shape"] = [None, 3_000, 3_000, 3]
    path = litert_with(
        path,
        lambda archive: archive.writestr(METADATA_FILE, json.dumps(values)),
    )
    refused(path, image, "`input.shape` is [None, 3000, 3000, 3], and the gra")


@pytest.mark.slow
def test_weights_of_gigabytes_are_not_unpacked(image, tmp_path):
    whole = EXPORTED.parent / "model.keras"
    path = tmp_path / "a.keras"
    write_zeros(path, "model.weights.h5", GIB)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "a") as new:
        for name in ("metadata.json", "config.json"):
            new.writestr(name, old.read(name))
    refused(
        path,
        image,
        "it unpacks to 1.0 GiB, and the file has",
        most=1500,
        limit=12 * GIB,
    )
