import os
import shutil
import subprocess
import sys

import pytest

from keras_csg.files import (
    hidden_part,
    recover,
    replace_all,
    whole_file,
)


def test_a_file_gets_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with whole_file(path) as part:
        assert part.parent == tmp_path and part.suffix == ".txt"
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_what_is_left_at_a_hidden_part_is_removed(tmp_path):
    path = tmp_path / "folder"
    with hidden_part(path) as part:
        (part / "inside").mkdir(parents=True)
    with hidden_part(path) as again:
        assert again == part and not again.exists()
    with pytest.raises(RuntimeError), hidden_part(path) as part:
        part.mkdir()
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_several_things_get_their_names_or_none_does(tmp_path, monkeypatch):
    folder, file, new = (tmp_path / name for name in ("a", "b.txt", "c"))
    folder.mkdir()
    (folder / "inside").touch()
    file.write_text("old")
    stage = tmp_path / "stage"

    def moves():
        (stage / "folder").mkdir(parents=True)
        (stage / "file").write_text("new")
        (stage / "new").touch()
        parts = (stage / name for name in ("folder", "file", "new"))
        return dict(zip(parts, (folder, file, new), strict=True))

    failing = {**moves(), stage / "missing": tmp_path / "d"}
    with pytest.raises(FileNotFoundError):
        replace_all(failing)
    assert (folder / "inside").exists() and file.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["a", "b.txt", "stage"]
    shutil.rmtree(stage)
    replace_all(moves())
    assert sorted(os.listdir(tmp_path)) == ["a", "b.txt", "c", "stage"]
    assert os.listdir(folder) == [] and file.read_text() == "new"


def test_what_a_killed_process_had_hidden_is_found(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inside").touch()
    part = tmp_path / "part"
    part.mkdir()
    killed = f"""
import os, pathlib
from keras_csg.files import replace_all
pathlib.Path.replace = lambda *args: os._exit(9)
replace_all({{pathlib.Path({str(part)!r}): pathlib.Path({str(folder)!r})}})
"""
    assert subprocess.run([sys.executable, "-c", killed]).returncode == 9
    assert not folder.exists()
    recover(folder)
    assert (folder / "inside").exists()
