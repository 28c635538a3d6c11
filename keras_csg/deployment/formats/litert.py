"""LiteRT: one file for phones, small boards and browsers, `.tflite`."""

import importlib.metadata
import os
import pathlib
import threading
import zipfile
import zlib

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.formats.quantization import convert
from keras_csg.deployment.metadata import Metadata
from keras_csg.quiet import quietly

SUFFIX = ".tflite"
# What TFLite Metadata calls associated files: a zip archive behind the model.
METADATA_FILE = "keras_csg.json"
LABELS_FILE = "labels.txt"
IDENTIFIER = b"TFL3"
THREADS = 2


def write(model, metadata, path, quantize=None, calibration=None):
    """Writes a model as a LiteRT file.

    The file runs in LiteRT without TensorFlow's operations. Its one signature
    names the input and the outputs; the batch axis is open, and follows the
    images where the runtime resizes the input.

    Args:
        model: `keras.Model` from `answering_model`.
        metadata: its `Metadata`.
        path: path of the file.
        quantize: `None`, `"float16"`, `"dynamic"` or `"int8"`; see
            `keras_csg.deployment.formats.quantization.convert`.
        calibration: images for `"int8"`, `(samples, height, width, 3)`, RGB
            in 0..255.

    Raises:
        ValueError: if LiteRT lacks an operation of the model, or an argument
            is not as described.
    """
    path = pathlib.Path(path)
    path.write_bytes(convert(model, quantize, calibration))
    labels = "".join(f"{name}\n" for name in metadata.class_names)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            (LABELS_FILE, labels),
            (METADATA_FILE, metadata.to_json()),
        ):
            # With a fixed date, so that equal models are equal files.
            member = zipfile.ZipInfo(name)
            archive.writestr(member, text, zipfile.ZIP_DEFLATED)


def read_metadata(path):
    """Reads the `Metadata` of a LiteRT file.

    Raises:
        ValueError: if it is none, or none that this package wrote.
    """
    with pathlib.Path(path).open("rb") as stream:
        if stream.read(8)[4:] != IDENTIFIER:
            raise ValueError(f"{path} is no LiteRT file.")
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(METADATA_FILE).decode()
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError) as error:
        # Cut short, it has lost the archive, as one of others has none.
        raise ValueError(
            f"{path} is no LiteRT file that keras_csg exported, or it is "
            "damaged."
        ) from error
    return Metadata.from_json(text)


def open(path):
    """Opens a LiteRT file in its runtime.

    Raises:
        ValueError: if it is none that this package wrote, or the runtime is
            not installed.
    """
    return LiteRTAnswers(path)


class LiteRTAnswers(ExportedAnswers):
    """An exported LiteRT file in its runtime, on two threads.

    Calls from several threads wait for each other: the runtime has one set of
    buffers.

    Args:
        path: path of the file.
    """

    def __init__(self, path):
        self.metadata = read_metadata(path)
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise ValueError(
                "LiteRT files need their runtime: `pip install ai-edge-litert`."
            ) from error
        version = importlib.metadata.version("ai-edge-litert")
        self.runtime = f"ai-edge-litert {version}"
        try:
            with quietly():
                interpreter = Interpreter(os.fspath(path), num_threads=THREADS)
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"LiteRT cannot load {path}.") from error
        self._runner = interpreter.get_signature_runner()
        self._lock = threading.Lock()

    def _run(self, images):
        with self._lock:
            return self._runner(images=images)
