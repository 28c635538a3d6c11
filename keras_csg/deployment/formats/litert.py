"""LiteRT: one file for phones, small boards and browsers, `.tflite`."""

import contextlib
import importlib.metadata
import os
import pathlib
import threading
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keras_csg.deployment.formats.base import (
    ExportedAnswers,
    Format,
    import_runtime,
    why,
)
from keras_csg.deployment.formats.described import (
    check_described,
    refuse_operations,
)
from keras_csg.deployment.formats.digests import check_digest, digest_of_parts
from keras_csg.deployment.formats.litert_graph import (
    custom_operations,
    operations_of,
)
from keras_csg.deployment.formats.made_tensors import check_made
from keras_csg.deployment.formats.quantization import convert
from keras_csg.deployment.formats.runtime_threads import current_threads
from keras_csg.deployment.image_batches import takes_any_size
from keras_csg.deployment.metadata import (
    LABELS_FILE,
    METADATA_FILE,
    Metadata,
    labels_text,
)
from keras_csg.quiet import held_back
from keras_csg.untrusted.archives import DAMAGE, read_member
from keras_csg.untrusted.limits import MOST_TEXT

if TYPE_CHECKING:
    import keras

IDENTIFIER = b"TFL3"
THREADS = 2
SIDES = (64, 512)
"""Of the images to allocate for first, where a model takes any: the second
where the first are too small for it."""
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
        content = convert(answering, **settings)
        path.write_bytes(content)
        metadata = metadata.sealed(digest_of_parts([content]))
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, text in (
                (LABELS_FILE, labels_text(metadata.class_names)),
                (METADATA_FILE, metadata.to_json()),
            ):
                # With a fixed date, so that equal models are equal files.
                member = zipfile.ZipInfo(name)
                archive.writestr(member, text, zipfile.ZIP_DEFLATED)

    def open(self, path: pathlib.Path, trust: bool = False) -> "LiteRTAnswers":
        """Opens a LiteRT file in its runtime."""
        return LiteRTAnswers(path, trust)

    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of a LiteRT file."""
        with path.open("rb") as stream:
            if stream.read(8)[4:] != IDENTIFIER:
                raise ValueError(f"{path} is no LiteRT file.")
        try:
            text = read_member(path, METADATA_FILE, MOST_TEXT).decode()
        except DAMAGE as error:
            # Cut short, it has lost the archive, as one of others has none.
            raise ValueError(
                f"{path} is no LiteRT file that keras_csg exported, or it is "
                f"damaged: {' '.join(str(error).split())}."
            ) from error
        return Metadata.from_json(
            text, path.stat().st_size, source=path, format=self.name
        )


class LiteRTAnswers(ExportedAnswers):
    """An exported LiteRT file in its runtime, on two threads if nobody says.

    Calls from several threads wait for each other: the runtime has one set of
    buffers.

    Args:
        path: path of the file.
        trust: bool. Whether it may have operations that the runtime lacks.
    """

    def __init__(self, path: pathlib.Path, trust: bool = False):
        self.metadata = LiteRTFormat().read_metadata(path)
        check_digest(self.metadata, path, lambda: digest_of_parts(_graph(path)))
        litert = import_runtime(
            "ai_edge_litert.interpreter",
            "LiteRT files need their runtime: `pip install ai-edge-litert`.",
        )
        if not trust:
            _check_operations(path)
        version = importlib.metadata.version("ai-edge-litert")
        self.runtime = f"ai-edge-litert {version}"
        try:
            with _unannounced():
                interpreter = litert.Interpreter(
                    os.fspath(path),
                    num_threads=current_threads().count or THREADS,
                )
                _allocate(interpreter, self.metadata)
            self._runner = interpreter.get_signature_runner()
            details = (
                self._runner.get_input_details(),
                self._runner.get_output_details(),
            )
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"LiteRT cannot load {path}{why(error)}."
            ) from error
        self._lock = threading.Lock()
        given, answers = (
            {n: list(about["shape_signature"]) for n, about in part.items()}
            for part in details
        )
        check_described(self.metadata, path, given.get("images", []), answers)

    def _run(self, images):
        with self._lock:
            return self._runner(images=images)


def _allocate(interpreter, metadata):
    """Allocates the buffers, at a size that the model takes.

    Where it takes any, the file says one pixel, of which a convolution
    without padding leaves nothing.
    """
    if not takes_any_size(metadata):
        interpreter.allocate_tensors()
        return
    (given,) = interpreter.get_input_details()
    for side in SIDES:
        sides = [known or side for known in metadata.input["shape"][1:3]]
        interpreter.resize_tensor_input(given["index"], [1, *sides, 3])
        try:
            interpreter.allocate_tensors()
            return
        except RuntimeError:
            if side == SIDES[-1]:
                raise


def _graph(path):
    """Returns the bytes of the model alone, without the archive after it."""
    with zipfile.ZipFile(path) as archive:
        end = min(member.header_offset for member in archive.infolist())
    with path.open("rb") as stream:
        return [stream.read(end)]


def _check_operations(path):
    """Refuses operations that are not the runtime's own, or ask for too much.

    What constants make is summed against what a file may unpack to.
    """
    try:
        content = path.read_bytes()
        custom = custom_operations(content)
        operations = [*operations_of(content)]
    except Exception as error:  # All sorts, by where the damage is.
        raise ValueError(f"{path} is no LiteRT file, or damaged.") from error
    refuse_operations(path, custom)
    try:
        check_made(operations)
    except ValueError as error:
        raise ValueError(f"{path} was not opened: {error}.") from error


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
