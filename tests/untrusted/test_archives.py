"""Archives say how large they are, and are believed to that and no more."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.untrusted import limits
from keras_csg.untrusted.archives import (
    read_arrays,
    read_member,
    write_arrays,
)
from keras_csg.untrusted.limits import VARIABLE, check_bytes, shown_bytes

GIB = 2**30
ZEROS = bytes(2**24)


def refused(path, words, most=2**26):
    """Asserts one line, and that memory did not grow."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words) as raised:
            read_arrays(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "\n" not in str(raised.value)
    assert peak < most


def write_zeros(path, name, size, before=b""):
    """Writes a member of zeros, of which a gigabyte takes a megabyte."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(name, "w", force_zip64=True) as stream:
            stream.write(before)
            for _ in range(size // len(ZEROS)):
                stream.write(ZEROS)


def head(shape, dtype="<f4"):
    """Returns the head of an array's file."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def test_arrays_come_back(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(5, "int8")}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        found = read_arrays(tmp_path / "a.npz")
        assert found.keys() == arrays.keys()
        for name, values in arrays.items():
            assert_array_equal(found[name], values)
            assert found[name].dtype == values.dtype


def test_an_array_of_gigabytes_is_not_unpacked(tmp_path):
    size = GIB // 4
    path = tmp_path / "a.npz"
    write_zeros(path, "a.npy", size, head((size // 4,)))
    assert path.stat().st_size < 2**20
    refused(path, "it unpacks to 256.0 MiB, and the file has .* no weights")


def test_an_array_that_says_it_has_billions_is_not_made(tmp_path):
    path = tmp_path / "a.npz"
    for shape in ((10**10,), (2**62, 4), (3,)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", head(shape) + bytes(16))
        refused(path, "a.npy says it has other numbers")


def test_arrays_are_written_whatever_they_are_called(tmp_path):
    arrays = {"allow_pickle": np.ones(2), "b": np.array([np.nan], "<f2")}
    write_arrays(tmp_path / "a.npz", arrays)
    found = read_arrays(tmp_path / "a.npz", packed=False)
    assert found.keys() == arrays.keys()
    assert_array_equal(found["allow_pickle"], [1, 1])


def test_nothing_but_the_arrays_is_written(tmp_path):
    write_arrays(tmp_path / "a.npz", {"b": np.ones(2)})
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert archive.namelist() == ["b.npy"]


def test_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_arrays(tmp_path / "a.npz", {"a": np.array([{}], object)})


def test_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{}], object))
    refused(tmp_path / "a.npz", "holds objects")


def test_a_stated_limit_holds(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", a=np.zeros(1000))
    monkeypatch.setenv(VARIABLE, "5000")
    refused(tmp_path / "a.npz", rf"at most 4.9 KiB are unpacked \({VARIABLE}\)")
    monkeypatch.setenv(VARIABLE, "20000")
    assert read_arrays(tmp_path / "a.npz")["a"].size == 1000


@pytest.mark.parametrize("value", ["0", "much", "-1", "1e9"])
def test_a_limit_that_is_none_is_named(value, monkeypatch):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ValueError, match=f"{VARIABLE} must be a whole number"):
        check_bytes("it", 1)


@pytest.mark.parametrize(
    "name, words",
    [
        ("../a.npy", "leads out of the archive"),
        ("/etc/a.npy", "leads out of the archive"),
        ("C:/a.npy", "leads out of the archive"),
        ("a/../../b.npy", "leads out of the archive"),
        ("a\\..\\b.npy", "leads out of the archive"),
    ],
)
def test_names_that_climb_out_are_refused(name, words, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr(name, head((0,)))
    refused(tmp_path / "a.npz", words)


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("a.npy")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(tmp_path / "a.npz", "is a link")


def encrypt(path):
    """Says of the archive's members that they are encrypted."""
    content = bytearray(path.read_bytes())
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(start) + flags
        content[place : place + 2] = struct.pack("<H", 1)
    path.write_bytes(content)


def test_encrypted_archives_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.zeros(3))
    encrypt(tmp_path / "a.npz")
    refused(tmp_path / "a.npz", "is encrypted")


def test_damage_is_said_in_one_line(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(1000))
    whole = path.read_bytes()
    for content in (b"", b"nothing", whole[:500], whole[:-30]):
        path.write_bytes(content)
        refused(path, ".")
    flipped = bytearray(whole)
    flipped[400] ^= 1
    path.write_bytes(flipped)
    refused(path, "CRC")


def test_a_member_is_read_up_to_its_limit(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"12345")
    assert read_member(path, "a", 5) == b"12345"
    with pytest.raises(ValueError, match="its a unpacks to 5 bytes"):
        read_member(path, "a", 4)
    with pytest.raises(KeyError):
        read_member(path, "b", 4)


@pytest.mark.parametrize(
    "count, words",
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (3 * 2**29, "1.5 GiB"),
        (2**50, "1024.0 TiB"),
        (10**30, "more than a million TiB"),
    ],
)
def test_bytes_are_told_in_words(count, words):
    assert shown_bytes(count) == words
    assert limits.MOST_BYTES == 4 * GIB
