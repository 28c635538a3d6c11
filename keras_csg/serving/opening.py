"""Opens an exported model as a server runs it."""

import os
import pathlib

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.formats.runtime_threads import runtime_threads
from keras_csg.deployment.opening import find_model, open_exported

TRITON_CONFIG = "config.pbtxt"
VERSION = "1"
"""Of a file that lies in no version's folder."""


def open_to_serve(
    path: str | os.PathLike, threads: int | None, trust: bool = False
) -> ExportedAnswers:
    """Opens an exported model.

    Args:
        path: see `keras_csg.open_exported`.
        threads: int. Threads that compute; `None` for the runtime's choice.
        trust: bool; see `keras_csg.open_exported`.

    Raises:
        ValueError: if it cannot be opened.
    """
    # Threads that wait for work by spinning take the time of the server's.
    with runtime_threads(threads, spinning=False):
        return open_exported(path, trust=trust)


def name_and_version(path: str | os.PathLike) -> tuple[str, str]:
    """Returns how a model is called if nobody says, and its version.

    In the folder of a server's model repository the folder's name, and the
    version that is found there; of a page's folder its name; of another file
    the file's.

    Args:
        path: path of an exported model, or of its folder.
    """
    path = pathlib.Path(path).absolute()
    model = find_model(path) or path
    if model.is_file() and model.parent == path and not path.name.isdecimal():
        return path.name, VERSION  # The folder of a page.
    folder = model.parent
    # In Triton's layout the version's folder holds it, in TensorFlow Serving's
    # it is the version's folder.
    if not (folder.parent / TRITON_CONFIG).exists():
        folder = model
    if folder.name.isdecimal():
        return folder.parent.name, folder.name
    return model.stem, VERSION
