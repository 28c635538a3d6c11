import pathlib
import zipfile
import zlib
from importlib.util import find_spec

import keras

from keras_csg.files import check_regular

# What reading a file raises, by Keras, zipfile and h5py, if it is not whole.
DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_model_file(path: pathlib.Path, compile: bool = True) -> keras.Model:
    """Reads a `.keras` file, without running any code that is in it.

    Args:
        path: path of the file.
        compile: bool. Whether to restore the optimizer and the loss too.

    Returns:
        `keras.Model`.

    Raises:
        ValueError: if the file is damaged or no model can be read from it, in
            one line.
    """
    try:
        check_regular(path)
        # Keras reads weights by seeking, past what Python checks then.
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                raise zipfile.BadZipFile(f"{broken} is damaged")
        return keras.saving.load_model(path, compile=compile, safe_mode=True)
    except DAMAGE as error:
        raise ValueError(f"Cannot read {path}: {_why(error)}") from error


def _why(error):
    if "keras_hub" in str(error) and find_spec("keras_hub") is None:
        return (
            "it has layers of KerasHub, which is not installed: "
            "`pip install 'keras-csg[hub]'`"
        )
    return reason_of(error)


def reason_of(error: BaseException) -> str:
    """Returns the first line of an error's message."""
    return [*str(error).strip().splitlines(), "it is damaged"][0]
