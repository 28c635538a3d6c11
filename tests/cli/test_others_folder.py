"""Folders of another user are one line with the file and the way out."""

import errno
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from PIL import Image

import keras_csg
from keras_csg.files import cannot_read, cannot_write, check_folder, what_to_do
from keras_csg.training.backup_files import backup_path, write_backup
from tests.source_tree import ROOT

# By whoever may do all only what an owner forbids himself is not forbidden.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
SOMEBODY = 65534


@pytest.fixture(scope="module")
def found(tmp_path_factory, make_tiny_run):
    """What commands say, by their names; and what they left."""
    everything = os.geteuid() == 0
    if os.name != "posix" or (everything and not shutil.which("setpriv")):
        pytest.skip("no way to be without rights")
    folder = tmp_path_factory.mktemp("others")
    for name in ("home", "read", "shut"):
        (folder / name).mkdir()
    image = keras_csg.load_data("digits", image_size=8).test
    for name in ("a.png", "sealed.png"):
        picture = image.images_and_labels(1)[0][0]
        Image.fromarray(picture).save(folder / name)
    make_tiny_run(folder / "run", epochs=1)
    shutil.copytree(folder / "run", folder / "sealed")
    shutil.copytree(folder / "run", folder / "stopped")
    (folder / "stopped" / "model.keras").unlink()
    (folder / "stopped" / "backup").mkdir()
    record = {"epochs": 1, "options": {}, "rows": []}
    write_backup(backup_path(folder / "stopped" / "backup", 1), {}, record)
    before = sorted(map(str, folder.rglob("*")))
    modes = {"run": 0o555, "stopped": 0o555, "read": 0o555}
    modes |= {"shut": 0, "sealed": 0, "sealed.png": 0}
    try:
        for name, mode in modes.items():
            give_away(folder / name, mode, everything)
        command = [sys.executable, "-m", "tests.cli.others_folder", folder]
        called = subprocess.run(
            [*(WITHOUT_RIGHTS if everything else []), *map(str, command)],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
    finally:
        for name in modes:
            (folder / name).chmod(0o755)
    assert called.returncode == 0, called.stderr[-2000:]
    results = json.loads(called.stdout.splitlines()[-1])
    home = str(folder / "home")
    after = sorted(map(str, folder.rglob("*")))
    return results, before, [x for x in after if not x.startswith(home + "/")]


def give_away(path, mode, everything):
    """Makes a file another user's, who lets others do what the mode says."""
    if everything:
        for one in (path, *(path.rglob("*") if path.is_dir() else ())):
            os.chown(one, SOMEBODY, SOMEBODY)
    path.chmod(mode)


@pytest.mark.slow
def test_each_command_says_the_place_and_the_way_out(found):
    results, _, _ = found
    for name, told in results.items():
        said = told["said"]
        assert told["code"] == 2, (name, said)
        assert said.startswith("Error: ") and said.count("\n") == 1, (
            name,
            said,
        )
        assert told["named"] in said, (name, said)
        assert "Permission denied: " in said, (name, said)
        assert "name a place" in said or "ask its owner" in said, (name, said)
        assert "Errno" not in said and ".part-" not in said, (name, said)


@pytest.mark.slow
def test_nothing_is_left_there(found):
    _, before, after = found
    assert before == after


DENIED = PermissionError(errno.EACCES, "Permission denied", "a/.b.part-1")


def test_a_line_has_the_place_and_the_way_out():
    assert cannot_write(pathlib.Path("a/b"), DENIED) == (
        "Cannot write to a/b: Permission denied: name a place that you may use."
    )
    assert cannot_read("a/b", DENIED) == (
        "Cannot read a/b: Permission denied: ask its owner to let you read it."
    )
    # Whether it was to be read or written only the caller knows.
    assert what_to_do(DENIED).endswith("may use, or ask its owner.")
    assert (
        cannot_read("b", OSError("odd\n it is")) == "Cannot read b: odd it is."
    )


def test_a_folder_need_not_be_there(tmp_path, monkeypatch):
    asked = []
    check_folder(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(os, "access", lambda *given: asked.append(given))
    with pytest.raises(ValueError, match="a/b: Permission denied: name a pl"):
        check_folder(tmp_path / "a" / "b")
    # Twice: whoever removes the folder meanwhile is no matter.
    assert asked == [(tmp_path, os.W_OK | os.X_OK)] * 2
    (tmp_path / "a").touch()
    with pytest.raises(ValueError, match="a is no folder: name another"):
        check_folder(tmp_path / "a" / "b")
