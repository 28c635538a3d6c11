"""Every file of a run and of an export: a bit turned, cut, doubled, emptied."""

import os
import pathlib
import shutil

import numpy as np
import pytest

EXPORTED = ("model.onnx", "model.tflite", "saved_model", "openvino")
SEED = int(os.environ.get("KERAS_CSG_FUZZ_SEED", "0"))


def turned(data, rng):
    """Returns the bytes with one bit turned."""
    place = int(rng.integers(len(data)))
    bit = bytes([data[place] ^ (1 << int(rng.integers(8)))])
    return data[:place] + bit + data[place + 1 :]


DAMAGES = {
    "turned": turned,
    "cut": lambda data, rng: data[: int(rng.integers(1, len(data)))],
    "doubled": lambda data, rng: data * 2,
    "emptied": lambda data, rng: b"",
}


def files_of(path):
    """Returns the files of a run or an export that are read again."""
    if path.is_file():
        return [pathlib.Path(path.name)]
    return [
        pathlib.Path(path.name) / file.relative_to(path)
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.suffix not in (".png", ".lock")
    ]


def told(run_cli, path, picture):
    """Returns the exit code and what `predict` says, checked for its form."""
    code, out, err = run_cli("predict", path, picture, "--json")
    said = f"{path}\nexit {code}\n{out}\n{err}"
    assert code in (0, 2), said
    assert "Traceback" not in out + err, said
    if code == 2:
        assert err.splitlines()[-1].startswith("Error: "), said
        assert sum(row.startswith("Error") for row in err.splitlines()) == 1
    return code, out


def check(run_cli, whole, file, damage, picture, folder):
    """A damaged file is refused, or was no part of the answer."""
    _, expected = told(run_cli, whole, picture)
    path = folder / whole.name
    copy = shutil.copytree if whole.is_dir() else shutil.copy
    copy(whole, path)
    target = folder / file
    rng = np.random.default_rng([SEED, len(str(file))])
    data = target.read_bytes()
    if not data:
        pytest.skip("it was empty before")
    target.write_bytes(DAMAGES[damage](data, rng))
    code, out = told(run_cli, path, picture)
    if code == 0:
        assert out == expected.replace(str(whole), str(path)), (file, damage)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_a_run_is_said(
    damage, run_cli, tiny_run, digit, tmp_path
):
    for number, file in enumerate(files_of(tiny_run)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        check(run_cli, tiny_run, file, damage, digit[0][0], folder)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", EXPORTED)
def test_a_damaged_file_of_an_export_is_said(
    name, damage, run_cli, exported, digit, tmp_path
):
    whole = exported / name
    for number, file in enumerate(files_of(whole)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        check(run_cli, whole, file, damage, digit[0][0], folder)
