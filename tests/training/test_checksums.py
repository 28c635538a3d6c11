"""What is read of a run is what was written, or it is said."""

import json
import multiprocessing
import os
import signal

import pytest

from keras_csg.training import checksums as module
from keras_csg.training.checksums import Checksums


@pytest.fixture
def sums(tmp_path):
    return Checksums(tmp_path)


def write(sums, name, text):
    with sums.writing(sums.folder / name) as part:
        part.write_text(text)
    return sums.folder / name


def test_a_file_that_is_as_it_was_written_is_read(sums, tmp_path):
    path = write(sums, "a.json", "{}")
    assert sums.read(path) == b"{}"
    listed = json.loads((tmp_path / "checksums.json").read_text())
    # echo -n '{}' | sha256sum
    assert listed == {
        "a.json": [
            {
                "sha256": "44136fa355b3678a1146ad16f7e8649e"
                "94fb4fc21fe77e8310c060f61caaff8a",
                "bytes": 2,
            }
        ]
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "a.json",
        "checksums.json",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it has 0 bytes, and 6 were written"),
        (b"abcde", "it has 5 bytes, and 6 were written"),
        (b"abcdeg", "its checksum is not that of what was written"),
    ],
)
def test_what_is_damaged_is_named_with_the_way_out(sums, content, reason):
    path = write(sums, "a.txt", "abcdef")
    path.write_bytes(content)
    for read in (sums.read, sums.check):
        with pytest.raises(ValueError, match=f"a.txt is damaged: {reason}"):
            read(path)
    sums.path.unlink()  # The way out, for what was changed on purpose.
    assert sums.read(path) == content


def test_files_without_a_checksum_are_taken_as_they_are(sums, tmp_path):
    (tmp_path / "old.json").write_text("1")
    assert sums.read(tmp_path / "old.json") == b"1"
    write(sums, "new.json", "2")
    assert sums.read(tmp_path / "old.json") == b"1"
    sums.check(tmp_path / "missing.json")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": [{}]}'])
def test_a_damaged_list_is_named(sums, text):
    path = write(sums, "a.txt", "abc")
    sums.path.write_text(text)
    with pytest.raises(ValueError, match="checksums.json is damaged. Remove"):
        sums.read(path)


def test_a_renamed_file_keeps_its_checksum(sums, tmp_path):
    path = write(sums, "a.txt", "abc")
    sums.rename(path, tmp_path / "b.txt")
    assert sums.read(tmp_path / "b.txt") == b"abc"
    (tmp_path / "b.txt").write_text("abd")
    with pytest.raises(ValueError, match="b.txt is damaged"):
        sums.read(tmp_path / "b.txt")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(4))
def test_killed_at_any_moment_no_whole_file_looks_damaged(
    sums, monkeypatch, moment
):
    """Before and behind each of the three files that get their names."""
    path = write(sums, "a.txt", "old")
    replaced, real = [], type(path).replace

    def replace(part, target):
        if len(replaced) == moment:
            raise Killed
        replaced.append(target)
        return real(part, target)

    monkeypatch.setattr(type(path), "replace", replace)
    if moment < 3:
        with pytest.raises(Killed):
            write(sums, "a.txt", "new")
    else:
        write(sums, "a.txt", "new")
    monkeypatch.undo()
    expected = b"old" if moment < 2 else b"new"
    assert sums.read(path) == expected
    write(sums, "a.txt", "newer")
    assert sums.read(path) == b"newer"
    assert len(json.loads(sums.path.read_text())["a.txt"]) == 1


def test_a_full_disk_at_the_end_costs_nothing(sums, monkeypatch):
    path = write(sums, "a.txt", "old")
    real = module.write_json

    def full(target, value):
        if len(value["a.txt"]) == 1:
            raise OSError(28, "No space left on device")
        real(target, value)

    monkeypatch.setattr(module, "write_json", full)
    write(sums, "a.txt", "new")
    assert sums.read(path) == b"new"


def _write_many(folder, name):
    for number in range(40):
        write(Checksums(folder), name, f"{name} {number}")


@pytest.mark.skipif(module.fcntl is None, reason="no locks of this kind")
def test_two_writers_of_two_files_do_not_lose_each_others(sums, tmp_path):
    context = multiprocessing.get_context("fork")
    names = ("a.txt", "b.txt")
    writers = [
        context.Process(target=_write_many, args=(tmp_path, name))
        for name in names
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for name in names:
        assert sums.read(tmp_path / name) == f"{name} 39".encode()


def _write_until_killed(folder):
    number = 0
    while True:
        write(Checksums(folder), "a.txt", str(number) * 1000)
        number += 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes of this kind")
def test_a_file_is_whole_after_a_real_kill(sums, tmp_path):
    path = write(sums, "a.txt", "first")
    context = multiprocessing.get_context("fork")
    for _ in range(10):
        writer = context.Process(target=_write_until_killed, args=(tmp_path,))
        writer.start()
        writer.join(0.05)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        sums.read(path)
