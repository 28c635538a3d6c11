"""On a disk that is full a command says which file, and what to do."""

import json
import shutil
import subprocess
import sys

import pytest

SIZE = "size=1m"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What commands say on a small disk, a tmpfs of this test alone."""
    disk = tmp_path_factory.mktemp("disk")
    large = tmp_path_factory.mktemp("large")
    mount = f"mount -t tmpfs -o {SIZE} tmpfs {disk}"
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare, to mount a small disk with")
    tried = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True
    )
    if tried.returncode:
        pytest.skip(f"no small disk can be mounted: {tried.stderr.strip()}")
    driver = f"{sys.executable} -m tests.cli.small_disk {disk} {large}"
    called = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{mount} && exec {driver}"],
        capture_output=True,
        text=True,
    )
    assert called.returncode == 0, called.stderr[-4000:]
    return json.loads(called.stdout.splitlines()[-1])


def check_line(result, *words):
    assert result["code"] == 2, result
    line = result["said"].splitlines()[-1]
    assert line.startswith("Error: ") and "Traceback" not in result["said"]
    for word in words:
        assert word in line, line


@pytest.mark.slow
def test_a_training_keeps_its_epochs_and_goes_on_to_the_same_end(found):
    train = found["train"]
    check_line(
        train,
        "epoch-0003.npz: No space left on device. Its 2 epochs are kept",
        "go on with keras-csg train --resume --out ",
    )
    assert "run/backup/epoch-0002.npz" in train["kept"]
    assert not [name for name in train["kept"] if ".part" in name]
    assert train["resumed"] == 0, train["then"]
    assert train["same"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("saved_model", "out/saved_model"),
        ("onnx", "out/model.onnx"),
        ("predict", "out/a.heatmap.png"),
        ("explain", "out/a.explained.png"),
        ("filters", "out"),
        ("attack", "out"),
    ],
)
def test_what_is_written_is_named_and_nothing_is_left(found, name, file):
    check_line(found[name], f"{file}: No space left on device: free some space")
    assert [x for x in found[name]["left"] if x != "out"] == []


@pytest.mark.slow
def test_a_full_folder_for_temporary_files_is_passed_by(found):
    assert found["tmpdir"]["code"] == 0, found["tmpdir"]["said"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["new run", "resume", "read-only export"])
def test_what_may_only_be_read_is_said(found, name):
    check_line(found[name], "ead-only")
