"""Of the backups the newest whole one is found; what is not whole is said."""

import pathlib
import pickle
import re
import zipfile
from unittest import mock

import numpy as np
import pytest

from keras_csg.training.backup_files import (
    Backup,
    DamagedBackupError,
    backup_path,
    find_backup,
    newest_epoch,
    read_values,
    remove_backups,
    write_backup,
)

VALUES = {
    "model 00000": np.arange(12, dtype="float32").reshape(3, 4),
    "model 00001": np.array([1, 2], "uint32"),
    "optimizer 00000": np.float32(0.5),
}


def write(folder, epochs, values=VALUES):
    path = backup_path(folder, epochs)
    rows = [{"epoch": str(n + 1)} for n in range(epochs)]
    record = {"epochs": epochs, "options": {"seed": 3}, "rows": rows}
    write_backup(path, values, record)
    return path


def found(folder):
    lines = []
    return find_backup(folder, lines.append), lines


def cut(content):
    return content[: len(content) // 2]


def zeros(content):
    return bytes(len(content))


def one_bit(content):
    middle = content.index(np.float32(7).tobytes())
    return (
        content[:middle] + bytes([content[middle] ^ 1]) + content[middle:][1:]
    )


def empty(content):
    return b""


def doubled(content):
    return content[:100] + content


def pickled(content):
    return pickle.dumps(["no arrays"])


DAMAGES = [cut, zeros, one_bit, empty, pickled]


def test_a_backup_is_read_as_it_was_written(tmp_path):
    path = write(tmp_path, 2)
    values, record = read_values(path)
    assert values.keys() == VALUES.keys()
    for name, value in VALUES.items():
        np.testing.assert_array_equal(values[name], value)
        assert values[name].dtype == value.dtype
    assert record["options"] == {"seed": 3}
    assert found(tmp_path) == (
        Backup(path, 2, {"seed": 3}, [{"epoch": "1"}, {"epoch": "2"}]),
        [],
    )


def test_without_one_there_is_none(tmp_path):
    assert found(tmp_path) == (None, [])
    assert found(tmp_path / "missing") == (None, [])
    assert newest_epoch(tmp_path / "missing") == 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_older_whole_one_is_taken_and_one_line_says_so(tmp_path, damage):
    older, newest = write(tmp_path, 1), write(tmp_path, 2)
    newest.write_bytes(damage(newest.read_bytes()))
    backup, lines = found(tmp_path)
    assert (backup.path, backup.epochs) == (older, 1)
    assert len(lines) == 1
    assert re.search(r"Passed over in .*: epoch-0002.npz .*epoch 1", lines[0])


@pytest.mark.parametrize("damage", DAMAGES)
def test_if_none_is_whole_nothing_is_removed(tmp_path, damage):
    paths = [write(tmp_path, 1), write(tmp_path, 2)]
    for path in paths:
        path.write_bytes(damage(path.read_bytes()))
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="No backup in .* is whole") as error:
        found(tmp_path)
    assert all(path.name in str(error.value) for path in paths)
    assert "\n" not in str(error.value)
    assert before == {p: p.read_bytes() for p in tmp_path.iterdir()}


def test_every_turned_byte_is_noticed_or_changes_nothing(tmp_path):
    path = write(tmp_path, 1)
    content = path.read_bytes()
    noticed = 0
    for place in range(len(content)):
        turned = bytes([content[place] ^ 0x10])
        path.write_bytes(content[:place] + turned + content[place + 1 :])
        try:
            values, record = read_values(path)
        except DamagedBackupError:
            noticed += 1
            continue
        assert record["options"] == {"seed": 3}
        for name, value in VALUES.items():
            np.testing.assert_array_equal(values[name], value)
    assert noticed > len(content) / 2


class Writes:
    """Pickled, it writes a file when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(self.path),)


def test_pickled_objects_are_never_read(tmp_path):
    proof = tmp_path / "ran"
    array = np.array([Writes(proof)], dtype=object)
    path = backup_path(tmp_path, 1)
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=True, **{"model 00000": array})
    with pytest.raises(ValueError, match="epoch-0001.npz is damaged"):
        found(tmp_path)
    path.write_bytes(pickle.dumps(Writes(proof)))
    with pytest.raises(ValueError, match="epoch-0001.npz is damaged"):
        found(tmp_path)
    assert not proof.exists()


def test_what_unpacks_to_more_than_the_file_is_refused_unread(tmp_path):
    path = backup_path(tmp_path, 1)
    np.savez_compressed(path, **{"model 00000": np.zeros(10**6)})
    with pytest.raises(ValueError, match="it is compressed"):
        found(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_passed_over(tmp_path, value):
    write(tmp_path, 1)
    weights = VALUES["model 00000"].copy()
    weights[1, 1] = value
    write(tmp_path, 2, {**VALUES, "model 00000": weights})
    backup, (line,) = found(tmp_path)
    assert backup.epochs == 1
    assert "epoch-0002.npz has a value that is not finite" in line
    backup_path(tmp_path, 1).unlink()
    with pytest.raises(ValueError, match="not finite"):
        found(tmp_path)


def test_a_backup_of_before_is_taken_and_its_damage_is_found(tmp_path):
    path = backup_path(tmp_path, 3)
    np.savez(path, **VALUES)
    assert found(tmp_path) == (Backup(path, 3), [])
    path.write_bytes(one_bit(path.read_bytes()))
    with pytest.raises(ValueError, match="damaged"):  # By zip's own sums.
        found(tmp_path)


def test_a_checksum_that_was_taken_out_is_missed(tmp_path):
    path = write(tmp_path, 1)
    with np.load(path) as saved:
        values = {n: saved[n] for n in saved.files if n != "sha256"}
    np.savez(path, **values)
    with pytest.raises(DamagedBackupError, match="its checksum is another"):
        read_values(path)


@pytest.mark.parametrize(
    "name", ["epoch-last.npz", "epoch-.npz", "epoch--1.npz"]
)
def test_a_name_without_a_number_is_said(tmp_path, name):
    write(tmp_path, 1).rename(tmp_path / name)
    write(tmp_path, 1)
    for call in (found, newest_epoch):
        with pytest.raises(ValueError, match=f"{name} has no number"):
            call(tmp_path)
    assert (tmp_path / name).exists()


def test_a_renamed_backup_is_said_with_its_name(tmp_path):
    write(tmp_path, 1)
    write(tmp_path, 2).rename(tmp_path / "epoch-0009.npz")
    with pytest.raises(
        ValueError, match="the backup of epoch 2: rename it to epoch-0002.npz"
    ):
        found(tmp_path)


def test_epochs_are_ordered_by_their_numbers(tmp_path):
    for epochs in (9999, 10000):
        write_backup(
            backup_path(tmp_path, epochs),
            VALUES,
            {"epochs": epochs, "options": {}, "rows": []},
        )
    assert found(tmp_path)[0].epochs == newest_epoch(tmp_path) == 10000
    remove_backups(tmp_path, but={10000})
    assert [p.name for p in tmp_path.iterdir()] == ["epoch-10000.npz"]


def test_only_arrays_and_json_are_in_it(tmp_path):
    with zipfile.ZipFile(write(tmp_path, 1)) as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
        for name in archive.namelist():
            with archive.open(name) as member:
                array = np.lib.format.read_array(member, allow_pickle=False)
                assert array.dtype.kind in "fiu"


@pytest.mark.parametrize(
    "record, words",
    [
        ({"options": {}, "rows": []}, "`epochs` is missing"),
        (
            {"epochs": "1", "options": {}, "rows": []},
            "`epochs` must be a wh",
        ),
        ({"epochs": 1, "options": [], "rows": []}, "`options` must be a table"),
        ({"epochs": 1, "options": {}, "rows": [5]}, r"`rows\[0\]` must be a t"),
        ([1], "it must be a table"),
    ],
)
def test_what_a_backup_says_of_itself_is_checked(tmp_path, record, words):
    """Its checksum may be right nevertheless: anybody can compute one."""
    write_backup(backup_path(tmp_path, 1), VALUES, record)
    with pytest.raises(ValueError, match=f"epoch-0001.npz is damaged: {words}"):
        found(tmp_path)


def test_a_record_that_is_nested_too_deep_is_damage(tmp_path):
    deep = "[" * 100_000
    with mock.patch("json.dumps", return_value=deep):
        write_backup(backup_path(tmp_path, 1), VALUES, {})
    with pytest.raises(ValueError, match="is damaged: it is nested too deep"):
        found(tmp_path)
