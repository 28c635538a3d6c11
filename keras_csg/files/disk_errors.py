"""What a disk says that is full or gone, and what to do about it."""

import contextlib
import errno
import os
import pathlib
import stat

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
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EACCES: "name a place that you may use",
    errno.EISDIR: "name a file, or move the folder elsewhere",
}


TO_READ = {**WAYS_OUT, errno.EACCES: "ask its owner to let you read it"}
"""The same for what was to be read."""
TO_USE = {
    **WAYS_OUT,
    errno.EACCES: f"{WAYS_OUT[errno.EACCES]}, or ask its owner",
}
"""The same where nobody knows which of both it was."""


def is_folder(path: str | os.PathLike) -> OSError:
    """Returns the error of a folder that stands where a file is wanted."""
    return IsADirectoryError(errno.EISDIR, "it is a folder", _shown(path))


def cannot_write(path: str | os.PathLike, error: OSError) -> str:
    """Returns that something cannot be written, why, and the way out.

    Args:
        path: path of what was to be written.
        error: what the system said.
    """
    return f"Cannot write to {_shown(path)}: {_reason(error, WAYS_OUT)}."


def cannot_read(path: str | os.PathLike, error: OSError) -> str:
    """Returns that something cannot be read, why, and the way out.

    Args:
        path: path of what was to be read.
        error: what the system said.
    """
    return f"Cannot read {_shown(path)}: {_reason(error, TO_READ)}."


def why_unread(error: BaseException) -> str:
    """Returns why something could not be read, and the way out if one is known.

    Args:
        error: of the system, or of a library that reads such files.
    """
    if isinstance(error, OSError):
        return _reason(error, TO_READ)
    return " ".join(str(error).split())


def check_folder(folder: pathlib.Path) -> None:
    """Refuses a folder into which nothing can be written; makes nothing.

    Args:
        folder: path, of what need not be there yet: then it can be made.

    Raises:
        ValueError: naming it, and the way out.
    """
    there, is_folder = _nearest(folder.absolute())
    if not is_folder:
        error = OSError(f"{there} is no folder: name another place")
        raise ValueError(cannot_write(folder, error))
    if not _is_usable(there):
        if not os.path.lexists(there) or _is_usable(there):
            return check_folder(folder)  # It was removed, or made anew.
        number = errno.EROFS if _is_read_only(there) else errno.EACCES
        error = OSError(number, os.strerror(number))
        raise ValueError(cannot_write(folder, error))


def _nearest(path):
    """Returns what is there of a path, and whether that is a folder.

    By one look at each: others may remove it between two.
    """
    for there in (path, *path.parents):
        try:
            return there, stat.S_ISDIR(there.stat().st_mode)
        except FileNotFoundError:
            if there.is_symlink():  # To nothing.
                return there, False
        except OSError:  # Behind a file, or where nobody may look.
            continue
    return path, False


def _is_usable(folder):
    return os.access(folder, os.W_OK | os.X_OK)


def _is_read_only(folder):
    if not hasattr(os, "statvfs"):  # Windows.
        return False
    with contextlib.suppress(FileNotFoundError):
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    return False


def _shown(path):
    return os.fsdecode(os.fspath(path))


def _reason(error, ways):
    text = error.strerror or " ".join(str(error).split())
    way = ways.get(error.errno or 0)
    return f"{text}: {way}" if way else text


def what_to_do(error: OSError) -> str:
    """Returns an error of the disk as one line: the file, and the way out."""
    text = _reason(error, TO_USE)
    if error.filename is not None:
        text = f"{_shown(error.filename)}: {text}"
    return f"{text}."


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
