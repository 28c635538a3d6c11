"""OpenVINO: a folder for Intel's processors, graphics and NPUs."""

import importlib.util
import os
import pathlib
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_csg.deployment.formats.base import (
    ExportedAnswers,
    Format,
    import_runtime,
    why,
)
from keras_csg.deployment.formats.described import check_described
from keras_csg.deployment.formats.digests import (
    check_digest,
    digest_of_files,
    size_of,
)
from keras_csg.deployment.formats.onnx import OnnxFormat
from keras_csg.deployment.formats.runtime_threads import current_threads
from keras_csg.deployment.metadata import (
    LABELS_FILE,
    METADATA_FILE,
    Metadata,
    read_description,
    write_descriptions,
)
from keras_csg.quiet import quietly

if TYPE_CHECKING:
    import keras

GRAPH_FILE = "model.xml"
WEIGHTS_FILE = "model.bin"
MODEL_FILES = (GRAPH_FILE, WEIGHTS_FILE)
NEEDS = (
    "OpenVINO files need their runtime: `pip install 'keras-csg[openvino]'`."
)


class OpenVinoFormat(Format):
    """A folder with `model.xml`, `model.bin`, the metadata and the labels.

    It is made of the ONNX file: with `"int8"` of one that ONNX Runtime
    quantised, whose 8-bit operations OpenVINO computes as such. Its weights
    are of seven bits: on x86 processors without VNNI OpenVINO sums pairs of
    products in 16 bits, silently up to their ends, and cannot be told not to.
    """

    name = "openvino"
    suffix = ""
    contents = (GRAPH_FILE, WEIGHTS_FILE, METADATA_FILE, LABELS_FILE)
    quantizations = ("float16", "int8")
    never_quantized = {"dynamic": "OpenVINO has it for language models alone."}

    def missing(self) -> str | None:
        """Returns what to install where OpenVINO is not, or `None`."""
        return None if importlib.util.find_spec("openvino") else NEEDS

    def write(
        self,
        answering: "keras.Model",
        metadata: Metadata,
        path: pathlib.Path,
        **settings: Any,
    ) -> None:
        """Writes a model as a folder for OpenVINO.

        Args:
            answering: `keras.Model` from `answering_model`.
            metadata: its `Metadata`.
            path: path of the folder.
            **settings: as `OnnxFormat.write` takes them.

        Raises:
            ValueError: as `OnnxFormat.write`, and if OpenVINO lacks an
                operation of the model.
        """
        openvino = import_runtime("openvino", NEEDS)
        half = settings.get("quantize") == "float16"
        if half:  # OpenVINO stores the halves by itself.
            settings = {}
        path.mkdir()
        with tempfile.TemporaryDirectory() as folder:
            onnx_file = pathlib.Path(folder) / "model.onnx"
            OnnxFormat().write(
                answering, metadata, onnx_file, weight_bits=7, **settings
            )
            model = _read(openvino, onnx_file)
            # It only says that it failed: Python says what a disk says.
            for file in _saved(openvino, model, folder, half):
                shutil.copyfile(file, path / file.name)
        write_descriptions(path, metadata.sealed(_digest(path)))

    def open(
        self, path: pathlib.Path, trust: bool = False
    ) -> "OpenVinoAnswers":
        """Opens a folder in OpenVINO, which has no operations of others."""
        return OpenVinoAnswers(path)

    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of a folder."""
        folder = _folder(path)
        if not (folder / GRAPH_FILE).is_file():
            raise ValueError(f"{path} is no OpenVINO model: no {GRAPH_FILE}.")
        return read_description(
            folder,
            f"{path} is no OpenVINO model that keras_csg exported.",
            size_of(folder, MODEL_FILES),
            self.name,
        )

    def lies_at(self, path: pathlib.Path) -> bool:
        """Tells whether a path is such a folder, or the `.xml` file in one."""
        return (_folder(path) / GRAPH_FILE).is_file()


class OpenVinoAnswers(ExportedAnswers):
    """An exported folder in OpenVINO, on the processor.

    Args:
        path: path of the folder.
    """

    def __init__(self, path: pathlib.Path):
        self.metadata = OpenVinoFormat().read_metadata(path)
        check_digest(self.metadata, path, lambda: _digest(_folder(path)))
        openvino = import_runtime("openvino", NEEDS)
        version = openvino.get_version().partition("-")[0]
        self.runtime = f"openvino {version}"
        try:
            model = _read(openvino, _folder(path) / GRAPH_FILE)
            # Left alone, it computes in bfloat16 where the processor can.
            settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
            threads = current_threads().count
            if threads is not None:
                settings["INFERENCE_NUM_THREADS"] = threads
            self._compiled = openvino.Core().compile_model(
                model, "CPU", settings
            )
        except RuntimeError as error:
            raise ValueError(
                f"OpenVINO cannot load {path}{why(error)}."
            ) from error
        (given,) = self._compiled.inputs
        answers = {o.any_name: _shape(o) for o in self._compiled.outputs}
        check_described(self.metadata, path, _shape(given), answers)

    def _run(self, images):
        # One for each call, so that calls from several threads are no matter.
        request = self._compiled.create_infer_request()
        values = request.infer({"images": np.ascontiguousarray(images)})
        return {name: values[name] for name in self.metadata.outputs}


def _saved(openvino, model, folder, half):
    """Returns the files of a model that is saved in a folder."""
    paths = [pathlib.Path(folder) / name for name in MODEL_FILES]
    try:
        with quietly():
            openvino.save_model(
                model, os.fspath(paths[0]), compress_to_fp16=half
            )
    except RuntimeError as error:
        raise ValueError(
            f"OpenVINO cannot write its files in {folder}{why(error)}: free "
            "some space, or set TMPDIR to another place."
        ) from error
    return paths


def _shape(tensor):
    """Returns a shape as a list, `None` for what is free."""
    sides = tensor.get_partial_shape()
    return [side.get_length() if side.is_static else None for side in sides]


def _digest(folder):
    return digest_of_files(folder, MODEL_FILES)


def _read(openvino, path):
    """Reads a file without OpenVINO's converter, which reports its use."""
    try:
        return openvino.Core().read_model(os.fspath(path))
    except RuntimeError as error:
        raise ValueError(
            f"OpenVINO cannot read {path.name}: {' '.join(str(error).split())}"
        ) from error


def _folder(path):
    return path.parent if path.name == GRAPH_FILE else path
