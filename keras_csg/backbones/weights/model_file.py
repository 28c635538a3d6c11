import pathlib
import zipfile
from importlib.util import find_spec

import h5py
import keras
import numpy as np

from keras_csg.backbones.weights.declared_sizes import (
    check_declared,
    stored_shapes,
)
from keras_csg.files import WAYS_OUT, cannot_read, check_regular
from keras_csg.untrusted.archives import DAMAGE as DAMAGED_ARCHIVE
from keras_csg.untrusted.archives import check_archive
from keras_csg.untrusted.json_text import check_text_size, parse_json
from keras_csg.untrusted.limits import check_bytes

# What reading a file raises, by Keras, zipfile and h5py, if it is not whole.
DAMAGE = (
    *DAMAGED_ARCHIVE,
    AttributeError,
    ImportError,
    IndexError,
    RecursionError,
    MemoryError,
)
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
"""Members of a `.keras` file."""
WITHIN = "Exception encountered:"
"""What Keras writes before the error that led to one."""
MOST_LETTERS = 200
"""Of a reason."""


def read_model_file(path: pathlib.Path, compile: bool = True) -> keras.Model:
    """Reads a `.keras` file, without running any code that is in it.

    What it unpacks to, and what its layers declare, is compared with its size
    and its weights before anything is unpacked or built.

    Args:
        path: path of the file.
        compile: bool. Whether to restore the optimizer and the loss too.

    Returns:
        `keras.Model`.

    Raises:
        ValueError: if the file is damaged, no model can be read from it, or
            its weights are no numbers, in one line.
    """
    path = pathlib.Path(path)
    try:
        check_regular(path)
        _check_content(path)
        model = keras.saving.load_model(path, compile=compile, safe_mode=True)
        check_finite(model)
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno in WAYS_OUT:
            raise ValueError(cannot_read(path, error)) from error
        raise ValueError(f"Cannot read {path}: {_why(error)}") from error
    return model


def check_finite(model: keras.Model) -> None:
    """Refuses a model with weights that are NaN or infinite.

    Args:
        model: `keras.Model`.

    Raises:
        ValueError: naming the weights.
    """
    for variable in model.variables:
        if not keras.backend.is_float_dtype(variable.dtype):
            continue
        values = keras.ops.convert_to_numpy(variable.value)
        if not np.isfinite(values.astype("float32", copy=False)).all():
            raise ValueError(
                f"its weights {variable.path} are NaN or infinite: the file is "
                "damaged, or the training diverged"
            )


def _check_content(path):
    """Refuses an archive before it is unpacked and its network is built."""
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        check_archive(archive, size)
        check_text_size(archive.getinfo(CONFIG).file_size)
        # Keras reads weights by seeking, past what Python checks then.
        if broken := archive.testzip():
            raise zipfile.BadZipFile(f"{broken} is damaged")
        config = parse_json(archive.read(CONFIG))
        if not isinstance(config, dict):
            raise ValueError(f"its {CONFIG} is no table")
        if WEIGHTS not in archive.namelist():
            return  # Keras says so, or reads another kind of file.
        with archive.open(WEIGHTS) as member, h5py.File(member, "r") as file:
            shapes = stored_shapes(file)
    check_bytes("it", 4 * _numbers_of(shapes), size)
    check_declared({**config, "compile_config": None}, shapes)


def _numbers_of(shapes):
    return sum(int(np.prod(shape, dtype=object)) for shape in shapes)


def _why(error):
    if "keras_hub" in str(error) and find_spec("keras_hub") is None:
        return (
            "it has layers of KerasHub, which is not installed: "
            "`pip install 'keras-csg[hub]'`"
        )
    return reason_of(error)


def reason_of(error: BaseException) -> str:
    """Returns what an error says in one line: its first sentences.

    Keras says much, on many lines, of which the first may only announce what
    comes: then the one after it counts, too. Of errors within errors the
    innermost counts.

    Args:
        error: any exception.
    """
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, MemoryError):
        return "it takes more memory than there is"
    if isinstance(error, KeyError) and error.args:
        lacks = shown(error.args[0])
        # Zip archives say it in a sentence.
        return lacks if " " in lacks else f"it lacks {lacks}"
    # Around an error Keras says what it did, and all that it did it with.
    text = str(error).rpartition(WITHIN)[2]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "it is damaged"
    reason = lines[0]
    for line in lines[1:]:
        if not reason.endswith((":", ",")):
            break
        reason += f" {line}"
    return shown(reason).rstrip(":, ")


def shown(text: object) -> str:
    """Returns a text of others on one line, in letters that print, cut."""
    words = " ".join(str(text).split())
    printable = "".join(c if c.isprintable() else "?" for c in words)
    if len(printable) > MOST_LETTERS:
        return printable[: MOST_LETTERS - 3] + "..."
    return printable
