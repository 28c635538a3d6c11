import errno
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from keras_csg.files import (
    at_home,
    disk_error,
    hidden_part,
    naming,
    new_folders,
    recover,
    replace_all,
    what_to_do,
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


def test_two_that_write_one_file_each_write_a_whole_one(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as first:
        first.write_text("first")
        with whole_file(path) as second:
            assert second != first
            second.write_text("second")
        assert path.read_text() == "second" and first.read_text() == "first"
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_error_of_the_disk_names_what_a_user_knows(tmp_path):
    """Of a folder that is built unseen, neither its part nor nothing."""
    full = errno.ENOSPC, os.strerror(errno.ENOSPC)
    hidden = tmp_path / "pages"
    for shown in (None, tmp_path):
        for within in (False, True):
            with (
                pytest.raises(OSError) as error,
                naming(hidden, shown),
                hidden_part(hidden) as part,
            ):
                raise OSError(*full, *[str(part / "a.html")] * within)
            assert error.value.filename == str(shown or hidden)


KILLED = """
import os, pathlib, sys
from keras_csg.files import whole_file
with whole_file(pathlib.Path(sys.argv[1])) as part:
    part.write_text("half")
    os._exit(9)
"""


def test_what_a_killed_process_left_goes_and_what_one_writes_stays(tmp_path):
    path = tmp_path / "a.txt"
    subprocess.run([sys.executable, "-c", KILLED, str(path)])
    (left,) = tmp_path.iterdir()
    running = tmp_path / left.name.replace("-0.txt", "-1.txt")
    running = running.with_name(
        re.sub(r"-\d+-1\.txt$", f"-{os.getppid()}-1.txt", running.name)
    )
    running.touch()
    strange = tmp_path / ".a.part.txt"
    strange.touch()
    with whole_file(path) as part:
        part.touch()
    assert sorted(tmp_path.iterdir()) == sorted([path, running, strange])


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path):
    path = tmp_path / ("ä" * 125 + ".json")
    with whole_file(path) as part:
        part.touch()
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("error", [SystemExit(143), KeyboardInterrupt()])
def test_a_signal_leaves_nothing(error, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(type(error)), whole_file(path) as part:
        part.write_text("half")
        raise error
    folder = tmp_path / "folder"
    with pytest.raises(type(error)), hidden_part(folder) as part:
        (part / "deep").mkdir(parents=True)
        (part / "deep" / "file").touch()
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("when", range(1, 6))
def test_a_signal_while_names_are_given_undoes_it(when, tmp_path, monkeypatch):
    """At each of its steps: what was there is there, and nothing else."""
    folder, file, stage = (tmp_path / name for name in ("a", "b.txt", "stage"))
    folder.mkdir()
    (folder / "inside").touch()
    file.write_text("old")
    (stage / "folder").mkdir(parents=True)
    (stage / "file").write_text("new")
    steps = []

    def step(function):
        def stopping(*args, **kwargs):
            result = function(*args, **kwargs)
            steps.append(function)
            if len(steps) == when:
                raise SystemExit(143)
            return result

        return stopping

    for owner, name in (
        (pathlib.Path, "replace"),
        (pathlib.Path, "rename"),
        (os, "link"),
    ):
        monkeypatch.setattr(owner, name, step(getattr(owner, name)))
    try:
        replace_all({stage / "folder": folder, stage / "file": file})
    except SystemExit:
        assert (folder / "inside").exists() and file.read_text() == "old"
        assert sorted(os.listdir(tmp_path)) == ["a", "b.txt", "stage"]
    else:
        assert len(steps) == 4 and when > 4
        assert os.listdir(folder) == [] and file.read_text() == "new"


def test_what_another_put_there_meanwhile_is_not_removed(tmp_path, monkeypatch):
    part, path = tmp_path / "part", tmp_path / "path"
    part.mkdir()
    replace = pathlib.Path.replace

    def late(part, path):
        path.mkdir()
        (path / "theirs").touch()
        return replace(part, path)

    monkeypatch.setattr(pathlib.Path, "replace", late)
    with pytest.raises(OSError):
        replace_all({part: path})
    assert (path / "theirs").exists()


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


def test_a_home_of_nobody_is_a_name_like_others(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert at_home("~/x") == pathlib.Path("/somewhere/x")
    assert at_home("~nobody-here/x") == pathlib.Path("~nobody-here/x")


def test_an_error_of_the_disk_names_the_file(tmp_path):
    path = tmp_path / "a.png"
    part = tmp_path / ".a.part.png"
    for error in (
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.ENOSPC, "No space left on device", str(part)),
        OSError(errno.ENOSPC, "No space left on device", part),
        OSError("[...] errno = 28, message = 'No space left on device'"),
    ):
        with pytest.raises(OSError) as raised, whole_file(path):
            raise error
        assert raised.value.errno == errno.ENOSPC
        assert raised.value.filename == str(path)
        assert what_to_do(raised.value) == (
            f"{path}: No space left on device: free some space, or name "
            "another place."
        )
    assert os.listdir(tmp_path) == []


def test_an_error_about_another_file_stays_what_it_is(tmp_path):
    other = FileNotFoundError(errno.ENOENT, "No such file", "other.txt")
    with pytest.raises(FileNotFoundError) as raised, whole_file(tmp_path / "a"):
        raise other
    assert raised.value is other
    for error in (ValueError("No space left on device"), OSError("odd")):
        assert disk_error(error) is None
        with pytest.raises(type(error)) as raised, whole_file(tmp_path / "a"):
            raise error
        assert raised.value is error


def test_what_a_library_says_of_the_disk_is_understood():
    said = type("Said", (Exception,), {"__module__": "tensorflow.errors"})
    found = disk_error(said("/a/b; Read-only file system [Op:Save]"))
    assert (found.errno, found.strerror) == (
        errno.EROFS,
        "Read-only file system",
    )


def test_new_folders_go_with_what_failed_in_them(tmp_path):
    folder = tmp_path / "a" / "b"
    with pytest.raises(OSError, match="full"), new_folders(folder):
        folder.mkdir(parents=True)
        raise OSError("full")
    assert not list(tmp_path.iterdir())


def test_folders_that_others_use_stay(tmp_path):
    folder = tmp_path / "a" / "b"
    with pytest.raises(OSError, match="full"), new_folders(folder):
        folder.mkdir(parents=True)
        (tmp_path / "a" / "theirs").touch()
        raise OSError("full")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["theirs"]
