"""Only files are read: neither pipes nor devices, which have no end."""

import hashlib
import os
import pathlib
import stat

from keras_csg.files.disk_errors import cannot_read, is_folder


def check_regular(path: str | os.PathLike) -> None:
    """Refuses what is no file before it is read.

    To read a pipe may take for ever, and a device has no end. A link counts as
    what it leads to.

    Raises:
        OSError: if it is something else, or not there.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise is_folder(path)
    if not stat.S_ISREG(mode):
        raise OSError("it is a pipe, a socket or a device, and no file")


def check_regular_files(folder: pathlib.Path) -> None:
    """Refuses a folder in which one is something else; see `check_regular`.

    Raises:
        OSError: naming it.
    """
    for path in folder.iterdir():
        try:
            if not path.is_dir():
                check_regular(path)
        except FileNotFoundError:  # A link to nothing, or it is gone.
            continue
        except OSError as error:
            raise OSError(cannot_read(path, error)) from error


def at_home(path: str | os.PathLike) -> pathlib.Path:
    """Returns a path whose `~` stands for the folder of a user.

    As in a shell, `~name` stays as it is where there is no such user.
    """
    return pathlib.Path(os.path.expanduser(path))


def sha256_of(path: pathlib.Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: if it is no file, or cannot be read.
    """
    check_regular(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
