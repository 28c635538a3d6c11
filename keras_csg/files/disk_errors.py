"""What a disk says that is full or gone, and what to do about it."""

import errno
import os

OF_THE_DISK = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EIO,
    errno.ENOENT,
)
"""What a disk says that is full, of others, or gone."""
WAYS_OUT = {
    errno.ENOSPC: "free some space, or name another place",
    errno.EDQUOT: "free some space, or name another place",
    errno.EFBIG: "name a place that takes larger files",
    errno.EROFS: "name another place",
    errno.EACCES: "name a place that you may use",
}


def what_to_do(error: OSError) -> str:
    """Returns an error of the disk as one line: the file, and the way out."""
    text = error.strerror or " ".join(str(error).split())
    if error.filename is not None:
        text = f"{os.fsdecode(os.fspath(error.filename))}: {text}"
    way = WAYS_OUT.get(error.errno or 0)
    return f"{text}: {way}." if way else f"{text}."


def disk_error(error: BaseException) -> OSError | None:
    """Returns an error as one of the disk, with its number; else `None`.

    Args:
        error: of Python, or of a library that only says what happened, such
            as TensorFlow's and HDF5's.
    """
    if isinstance(error, OSError) and error.errno is not None:
        named = error.filename
        name = None if named is None else os.fsdecode(os.fspath(named))
        return OSError(error.errno, error.strerror, name)
    module = type(error).__module__.partition(".")[0]
    if not isinstance(error, OSError) and module != "tensorflow":
        return None
    for code in OF_THE_DISK:
        if os.strerror(code) in str(error):
            return OSError(code, os.strerror(code))
    return None
