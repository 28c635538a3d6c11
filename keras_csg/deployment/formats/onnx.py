"""ONNX: one file for ONNX Runtime, OpenVINO, TensorRT, Triton and others."""

import json
import os
import pathlib
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
from keras_csg.deployment.formats.digests import check_digest
from keras_csg.deployment.formats.made_tensors import check_made
from keras_csg.deployment.formats.onnx_constants import operations_of
from keras_csg.deployment.formats.onnx_graph import (
    hold_constants,
    number_names,
    share_tables,
)
from keras_csg.deployment.formats.onnx_operations import HANDLERS
from keras_csg.deployment.formats.onnx_properties import (
    NoOnnxError,
    read_properties,
)
from keras_csg.deployment.formats.onnx_quantization import (
    store_halves,
    to_int8,
)
from keras_csg.deployment.formats.onnx_scan import (
    check_files,
    content_of,
    scan,
)
from keras_csg.deployment.formats.quantization import check_calibration
from keras_csg.deployment.formats.runtime_threads import current_threads
from keras_csg.deployment.metadata import Metadata
from keras_csg.quiet import quietly

if TYPE_CHECKING:
    import keras

# Of 2022: every runtime in use reads it, and it has all that tf2onnx needs.
OPSET = 17
KEY = "keras_csg"
FATAL = 4
"""The one severity of messages that ONNX Runtime writes to stderr."""


class OnnxFormat(Format):
    """One file, with the batch axis open and the metadata among its own.

    With `"float16"` its weights are stored in half precision and computed with
    in float32; with `"int8"` its backbone computes in 8 bits, as far as ONNX
    Runtime has its operations.
    """

    name = "onnx"
    suffix = ".onnx"
    quantizations = ("float16", "int8")
    never_quantized = {
        "dynamic": "ONNX Runtime computes it slower than float32: take int8."
    }
    in_layouts = {"triton": "model.onnx", "web": "model.onnx"}
    triton_platform = "onnxruntime_onnx"

    def write(
        self,
        answering: "keras.Model",
        metadata: Metadata,
        path: pathlib.Path,
        **settings: Any,
    ) -> None:
        """Writes a model as an ONNX file.

        Args:
            answering: `keras.Model` from `answering_model`.
            metadata: its `Metadata`.
            path: path of the file.
            **settings: `quantize` and `calibration`, as
                `keras_csg.deployment.formats.quantization.convert` takes them,
                and `weight_bits`, as `to_int8` does.

        Raises:
            ValueError: if the model has a layer that ONNX has no operation
                for, or is too large for one file, or `calibration` is missing
                or of another shape.
        """
        import onnx

        quantize = settings.get("quantize")
        if quantize == "int8":
            images = check_calibration(answering, settings.get("calibration"))
        proto = _convert(answering)
        _refuse_missing(proto)
        _name_batch_axis(proto)
        share_tables(proto.graph)
        number_names(proto.graph)
        if quantize == "float16":
            store_halves(proto.graph)
        elif quantize == "int8":
            proto = to_int8(proto, images, settings.get("weight_bits", 8))
        names = json.dumps(metadata.class_names)
        onnx.helper.set_model_props(proto, {"class_names": names})
        proto.producer_name = "keras_csg"
        proto.producer_version = metadata.project_version
        _check(proto)
        onnx.save(proto, os.fspath(path))
        sealed = metadata.sealed(scan(path, KEY).digest)
        description = onnx.ModelProto()
        onnx.helper.set_model_props(description, {KEY: sealed.to_json()})
        # Messages that follow each other are one.
        with path.open("ab") as stream:
            stream.write(description.SerializeToString())

    def open(self, path: pathlib.Path, trust: bool = False) -> "OnnxAnswers":
        """Opens an ONNX file in ONNX Runtime."""
        return OnnxAnswers(path, trust)

    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of an ONNX file."""
        try:
            properties = read_properties(path)
        except NoOnnxError as error:
            raise ValueError(
                f"{path} is no ONNX file, or damaged: {error}."
            ) from error
        if KEY not in properties:
            raise ValueError(f"{path} is no ONNX file that keras_csg exported.")
        return Metadata.from_json(
            properties[KEY],
            path.stat().st_size,
            source=path,
            format=self.name,
        )


class OnnxAnswers(ExportedAnswers):
    """An exported ONNX file in ONNX Runtime.

    Args:
        path: path of the file.
        trust: bool. Whether it may have operations that are not ONNX's own.
    """

    def __init__(self, path: pathlib.Path, trust: bool = False):
        self.metadata = OnnxFormat().read_metadata(path)
        _look_through(path, self.metadata, trust)
        onnxruntime = import_runtime(
            "onnxruntime",
            "ONNX files need ONNX Runtime: `pip install onnxruntime`.",
        )
        self.runtime = f"onnxruntime {onnxruntime.__version__}"
        try:
            self._session = onnxruntime.InferenceSession(
                os.fspath(path),
                _session_options(onnxruntime),
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # Its classes are of no public module.
            raise ValueError(
                f"ONNX Runtime cannot load {path}{why(error)}."
            ) from error
        (given,) = self._session.get_inputs()
        shapes = {o.name: o.shape for o in self._session.get_outputs()}
        check_described(self.metadata, path, given.shape, shapes)

    def _run(self, images):
        names = list(self.metadata.outputs)
        values = self._session.run(names, {"images": images})
        return dict(zip(names, values, strict=True))


def _look_through(path, metadata, trust):
    """Refuses a file that is not as it was written, before it is run."""
    try:
        found = scan(path, KEY)
        check_files(found.files, path.parent)
        if not trust:
            check_made(operations_of(content_of(path)))
    except ValueError as error:
        raise ValueError(f"{path} was not opened: {error}.") from error
    check_digest(metadata, path, lambda: found.digest)
    if not trust:
        refuse_operations(path, found.foreign)


def _session_options(onnxruntime):
    threads, options = current_threads(), onnxruntime.SessionOptions()
    if threads.count is not None:
        options.intra_op_num_threads = threads.count
    if not threads.spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What fails is raised; the rest is of no use to whoever asks.
    options.log_severity_level = FATAL
    # Else processors without VNNI may overflow in 8-bit files.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def _convert(model):
    import tensorflow as tf

    (images,) = model.inputs
    signature = [tf.TensorSpec(images.shape, images.dtype, name="images")]

    @tf.function(input_signature=signature)
    def answer(images):
        return model(images, training=False)

    try:
        with quietly():
            import tf2onnx

            proto, _ = tf2onnx.convert.from_function(
                answer,
                signature,
                opset=OPSET,
                custom_op_handlers=HANDLERS,
            )
            held = _held_tensors(answer.get_concrete_function())
    except Exception as error:  # All sorts, by what it stumbles over.
        raise ValueError(
            "The model cannot be exported to ONNX: "
            f"{type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    hold_constants(proto.graph, held)
    return proto


def _held_tensors(concrete):
    """Returns arrays by their names: tensors of layers that are no weights.

    As what a normalization derives from its weights. The converter takes them
    for inputs, for which a caller has no values.
    """
    outside = concrete.captured_inputs
    inside = concrete.inputs[len(concrete.inputs) - len(outside) :]
    return {
        placeholder.name: tensor.numpy()
        for placeholder, tensor in zip(inside, outside, strict=True)
        if placeholder.dtype.name != "resource"  # Those are the weights.
    }


def _refuse_missing(proto):
    """Refuses operations that are none: tf2onnx writes what it cannot do."""
    import onnx

    missing = sorted(
        {
            node.op_type
            for node in proto.graph.node
            if not onnx.defs.has(node.op_type, OPSET, node.domain)
        }
    )
    if missing:
        raise ValueError(
            "The model has a layer that cannot be exported to ONNX, which has "
            f"no operation for {', '.join(missing)}. Export it as SavedModel, "
            "or take another layer."
        )


def _check(proto):
    """Raises where the file is invalid."""
    import onnx

    try:
        onnx.checker.check_model(proto, full_check=True)
    except (
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
    ) as error:
        raise ValueError(
            "The model has a layer that cannot be exported to ONNX: "
            + " ".join(str(error).split())
        ) from error


def _name_batch_axis(proto):
    """Names the axis that tf2onnx calls `unk__` and a number."""
    for value in [*proto.graph.input, *proto.graph.output]:
        axes = value.type.tensor_type.shape.dim
        if not axes:
            raise ValueError(
                "The model has a layer that cannot be exported to ONNX: it "
                f"leaves open how many axes {value.name} has."
            )
        axis = axes[0]
        axis.Clear()
        axis.dim_param = "batch"
    del proto.graph.value_info[:]  # They name it the old way.
