"""LiteRT: one file for phones, small boards and browsers, `.tflite`."""

import contextlib
import importlib.metadata
import os
import pathlib
import threading
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keras_csg.deployment.formats.base import (
    ExportedAnswers,
    Format,
    import_runtime,
)
from keras_csg.deployment.formats.quantization import convert
from keras_csg.deployment.formats.runtime_threads import current_threads
from keras_csg.deployment.metadata import (
    LABELS_FILE,
    METADATA_FILE,
    Metadata,
    labels_text,
)
from keras_csg.quiet import held_back

if TYPE_CHECKING:
    import keras

IDENTIFIER = b"TFL3"
THREADS = 2
ANNOUNCEMENT = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
"""What the runtime writes to stderr, once a process; no setting ends that."""


class LiteRTFormat(Format):
    """One file, which runs in LiteRT without TensorFlow's operations.

    Its one signature names the input and the outputs; the batch axis is open,
    and follows the images where the runtime resizes the input. Metadata and
    labels are in a zip archive after the model, where TFLite Metadata has
    its associated files.
    """

    name = "litert"
    suffix = ".tflite"
    quantizations = ("float16", "dynamic", "int8")

    def write(
        self,
        answering: "keras.Model",
        metadata: Metadata,
        path: pathlib.Path,
        **settings: Any,
    ) -> None:
        """Writes a model as a LiteRT file.

        Args:
            answering: `keras.Model` from `answering_model`.
            metadata: its `Metadata`.
            path: path of the file.
            **settings: `quantize` and `calibration`, as
                `keras_csg.deployment.formats.quantization.convert` takes them.

        Raises:
            ValueError: if LiteRT lacks an operation of the model, or an
                argument is not as described.
        """
        path.write_bytes(convert(answering, **settings))
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, text in (
                (LABELS_FILE, labels_text(metadata.class_names)),
                (METADATA_FILE, metadata.to_json()),
            ):
                # With a fixed date, so that equal models are equal files.
                member = zipfile.ZipInfo(name)
                archive.writestr(member, text, zipfile.ZIP_DEFLATED)

    def open(self, path: pathlib.Path) -> "LiteRTAnswers":
        """Opens a LiteRT file in its runtime."""
        return LiteRTAnswers(path)

    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of a LiteRT file."""
        with path.open("rb") as stream:
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


class LiteRTAnswers(ExportedAnswers):
    """An exported LiteRT file in its runtime, on two threads if nobody says.

    Calls from several threads wait for each other: the runtime has one set of
    buffers.

    Args:
        path: path of the file.
    """

    def __init__(self, path: pathlib.Path):
        self.metadata = LiteRTFormat().read_metadata(path)
        litert = import_runtime(
            "ai_edge_litert.interpreter",
            "LiteRT files need their runtime: `pip install ai-edge-litert`.",
        )
        version = importlib.metadata.version("ai-edge-litert")
        self.runtime = f"ai-edge-litert {version}"
        try:
            with _unannounced():
                interpreter = litert.Interpreter(
                    os.fspath(path),
                    num_threads=current_threads().count or THREADS,
                )
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"LiteRT cannot load {path}.") from error
        self._runner = interpreter.get_signature_runner()
        self._lock = threading.Lock()

    def _run(self, images):
        with self._lock:
            return self._runner(images=images)


_announced = threading.Event()


@contextlib.contextmanager
def _unannounced() -> Iterator[None]:
    """Drops the runtime's announcement; afterwards it touches nothing."""
    if _announced.is_set():
        yield
        return
    with held_back(2, but_show_all_except=ANNOUNCEMENT):
        yield
    _announced.set()
