import os
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from keras_csg.commands.arguments import (
    check_callable,
    check_count,
    check_path,
    check_text,
    logger,
)
from keras_csg.commands.input_error import input_errors
from keras_csg.data import load_data
from keras_csg.data.packing import pack_data, pack_name
from keras_csg.files import at_home


def pack(
    folder: str | os.PathLike,
    out: str | os.PathLike,
    *,
    name: str | None = None,
    shorter_side: int | None = None,
    track: Callable[[Iterable, str, int], Iterable] = lambda batches, *_: (
        batches
    ),
    log: Callable[[str], Any] | None = print,
    **settings: Any,
) -> pathlib.Path:
    """Packs a folder of images into files of records.

    They are a set of TensorFlow Datasets then, with the splits that a training
    on the folder has: `keras_csg.train(data=name, data_dir=out)`. Large files
    are read in order where the small ones of a folder are each looked for.

    Args:
        folder: path of the folder, as `keras_csg.load_data` takes it.
        out: path of the directory that sets are kept in.
        name: str. What the set is called; `None` for the folder's name.
        shorter_side: int. Images are shrunk until their shorter side has that
            many pixels, as JPEG; `None` to keep the files as they are.
        track: callable from images, a text and their number to the images,
            such as a progress bar.
        log: callable that takes a line of progress; `None` for silence.
        **settings: others of `keras_csg.load_data`, such as `splits`, `labels`
            and `validation_split`.

    Returns:
        Path of the set.

    Raises:
        InputError: if the folder cannot be loaded, the set is there already,
            or an argument is not as described.
    """
    check_path("folder", folder)
    check_path("out", out)
    check_text("name", name, optional=True)
    if shorter_side is not None:
        check_count("shorter_side", shorter_side)
    check_callable("track", track)
    log = logger(log)
    with input_errors():
        data = load_data(folder, cache=False, log=log, **settings)
        path = pack_data(
            data,
            at_home(out),
            name or pack_name(pathlib.Path(os.path.abspath(folder))),
            shorter_side=shorter_side,
            track=track,
        )
    if (white := data.reading.white_level) is not None:
        log(
            "A folder's images are looked at for what is white in them, a "
            f"set's are not: train with `white_level` {white}."
        )
    return path
