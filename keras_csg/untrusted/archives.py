"""Archives of others: what is in them is measured before it is unpacked."""

import math
import os
import pathlib
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import IO

import numpy as np
from numpy.lib import format as npy

from keras_csg.files import check_regular
from keras_csg.untrusted.limits import check_bytes

# What reading an archive raises if it is damaged, or is none.
DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,  # An encrypted member.
    NotImplementedError,  # A way of packing that nobody knows.
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)
MOST_MEMBERS = 100_000
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def check_archive(
    archive: zipfile.ZipFile, size: int, names: Iterable[str] | None = None
) -> None:
    """Refuses an archive that unpacks to too much, or to elsewhere.

    Args:
        archive: the open `zipfile.ZipFile`.
        size: int. Bytes of the file.
        names: the members that are unpacked; `None` for all.

    Raises:
        ValueError: naming the member.
    """
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise ValueError(f"it has more than {MOST_MEMBERS:,} members")
    for member in members:
        _check_member(member)
    wanted = None if names is None else set(names)
    unpacked = [m for m in members if wanted is None or m.filename in wanted]
    check_bytes("it", sum(member.file_size for member in unpacked), size)


def _check_member(member):
    name = member.filename
    shown = ascii(name[:100])[1:-1]
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
        raise ValueError(f"its member {shown} leads out of the archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"its member {shown} is a link")
    if member.flag_bits & 1:
        raise ValueError(f"its member {shown} is encrypted")


def read_member(path: pathlib.Path, name: str, most: int) -> bytes:
    """Returns one member of an archive.

    Args:
        path: path of the archive, which may stand behind something else.
        name: str. The member's name.
        most: int. Bytes that it may unpack to.

    Raises:
        ValueError: if it is larger, or leads elsewhere.
        KeyError: if there is none.
    """
    with zipfile.ZipFile(path) as archive:
        check_archive(archive, path.stat().st_size, [name])
        declared = archive.getinfo(name).file_size
        if declared > most:
            raise ValueError(
                f"its {name} unpacks to {declared:,} bytes, and may to {most:,}"
            )
        return archive.read(name)


def read_arrays(
    path: str | os.PathLike, packed: bool = True
) -> dict[str, np.ndarray]:
    """Returns the arrays of a `.npz` file, none of which is an object.

    Sizes are summed as the archive and each array's own head declare them,
    before any is made: of zeros a gigabyte packs into a megabyte, and an array
    that has no numbers at all may say that it has billions.

    Args:
        path: path of the file.
        packed: bool. Whether it may be compressed: what is not unpacks to no
            more than the file has.

    Raises:
        ValueError: in one line, if it is damaged or unpacks to too much.
        OSError: if it cannot be read, or is no file.
    """
    path = pathlib.Path(path)
    check_regular(path)
    path.open("rb").close()  # What forbids that is no damage.
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, path.stat().st_size)
            if not packed:
                _check_stored(archive, path.stat().st_size)
            for member in archive.infolist():
                _check_array(archive, member)
        with np.load(path, allow_pickle=False) as opened:
            return {name: opened[name] for name in opened.files}
    except DAMAGE as error:
        raise ValueError(" ".join(str(error).split()) or "it is cut") from error


def write_arrays(
    target: str | os.PathLike | IO[bytes], arrays: Mapping[str, np.ndarray]
) -> None:
    """Writes what `read_arrays` reads, and no object, which would be pickled.

    As `numpy.savez`, whose own switch for that is from 2.1 on: before, it
    became an array of the file.

    Args:
        target: path, or a file open for bytes.
        arrays: dict of arrays by names.

    Raises:
        ValueError: if one holds objects.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                npy.write_array(stream, np.asarray(values), allow_pickle=False)


def _check_stored(archive, size):
    """Refuses an archive that is larger unpacked."""
    members = archive.infolist()
    packed = any(m.compress_type != zipfile.ZIP_STORED for m in members)
    if packed or sum(member.file_size for member in members) > size:
        raise ValueError("it is compressed")


def _check_array(archive, member):
    """Refuses an array that says it has other numbers than there are."""
    name = ascii(member.filename[:100])[1:-1]
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        if version not in HEADERS:
            raise ValueError(f"{name} is of an unknown version")
        shape, _, dtype = HEADERS[version](stream)
        start = stream.tell()
    if dtype.hasobject:
        raise ValueError(f"{name} holds objects, not numbers")
    # Python's own product: NumPy's would overflow.
    if math.prod(shape) * dtype.itemsize != member.file_size - start:
        raise ValueError(f"{name} says it has other numbers than there are")
