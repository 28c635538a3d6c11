"""Core ML: a package for Apple's telephones and computers, `.mlpackage`."""

import importlib.util
import json
import pathlib
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_csg.deployment.formats.base import (
    ExportedAnswers,
    Format,
    import_runtime,
)
from keras_csg.deployment.graph.outputs import DTYPES
from keras_csg.deployment.metadata import Metadata
from keras_csg.quiet import quietly

if TYPE_CHECKING:
    import keras

NEEDS = (
    "Core ML models need their converter: `pip install 'keras-csg[coreml]'`."
)
ELSEWHERE = (
    "Core ML models are run, and so proven, on macOS alone: export there, or "
    "as ONNX or LiteRT, which run on Apple's devices too."
)
KEY = "keras_csg"
MANIFEST = "Manifest.json"
INSIDE = pathlib.PurePath("Data", "com.apple.CoreML")
# Of images in one call: the batch axis of a Core ML model has to end somewhere.
MAX_BATCH_SIZE = 64
# What computes in half precision if asked to: neither sums of many values nor
# quotients, which overflow.
HALF_KINDS = frozenset(
    ("conv", "conv_transpose", "relu", "relu6", "max_pool", "avg_pool", "pad")
)


class CoreMLFormat(Format):
    """A package, which is a folder, with the metadata in its description.

    It computes in float32. With `"float16"` its convolutions are stored and
    computed in half precision, as Apple's neural engine does; what goes in and
    comes out stays float32.
    """

    name = "coreml"
    suffix = ".mlpackage"
    quantizations = ("float16",)
    never_quantized = {
        "dynamic": "Core ML's own form of it is not offered.",
        "int8": "Core ML's own form of it is not offered.",
    }

    def missing(self) -> str | None:
        """Returns why models can be neither written nor run, or `None`."""
        if sys.platform != "darwin":
            return ELSEWHERE
        return None if importlib.util.find_spec("coremltools") else NEEDS

    def write(
        self,
        answering: "keras.Model",
        metadata: Metadata,
        path: pathlib.Path,
        **settings: Any,
    ) -> None:
        """Writes a model as a Core ML package.

        Args:
            answering: `keras.Model` from `answering_model`.
            metadata: its `Metadata`.
            path: path of the package.
            **settings: `quantize`.

        Raises:
            ValueError: if the model takes bytes, or has a layer that Core ML
                has no operation for.
        """
        coremltools = import_runtime("coremltools", NEEDS)
        (images,) = answering.inputs
        if images.dtype != "float32":
            raise ValueError(
                "Core ML has no tensors of bytes: `input_dtype='float32'`. "
                f"Received: input_dtype={images.dtype!r}"
            )
        half = settings.get("quantize") == "float16"
        with quietly():
            model = _convert(coremltools, answering, half)
            model.user_defined_metadata[KEY] = metadata.to_json()
            model.user_defined_metadata["class_names"] = json.dumps(
                metadata.class_names
            )
            # It appends the suffix to a path that has another.
            part = path.with_name(f"{path.name}.mlpackage")
            model.save(str(part))
        part.rename(path)

    def open(self, path: pathlib.Path, trust: bool = False) -> "CoreMLAnswers":
        """Opens a package in Core ML, which has no operations of others."""
        return CoreMLAnswers(path)

    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of a package."""
        coremltools = import_runtime("coremltools", NEEDS)
        try:
            spec = _load_spec(coremltools, path)
        except Exception as error:  # All sorts, by what is damaged.
            raise ValueError(
                f"{path} is no Core ML package, or damaged."
            ) from error
        properties = spec.description.metadata.userDefined
        if KEY not in properties:
            raise ValueError(
                f"{path} is no Core ML package that keras_csg exported."
            )
        return Metadata.from_json(
            properties[KEY], source=path, format=self.name
        )

    def lies_at(self, path: pathlib.Path) -> bool:
        """Tells whether a path is a package, whatever its name."""
        return (path / MANIFEST).is_file()


class CoreMLAnswers(ExportedAnswers):
    """An exported package in Core ML.

    Args:
        path: path of the package.
    """

    def __init__(self, path: pathlib.Path):
        if sys.platform != "darwin":
            raise ValueError(ELSEWHERE)
        self.metadata = CoreMLFormat().read_metadata(path)
        coremltools = import_runtime("coremltools", NEEDS)
        self.runtime = f"coremltools {coremltools.__version__}"
        try:
            # By its parts: it opens no package of another suffix, and until
            # it is proven the package has one.
            self._model = coremltools.models.MLModel(
                _load_spec(coremltools, path),
                weights_dir=str(path / INSIDE / "weights"),
            )
        except Exception as error:  # All sorts, by what is damaged.
            raise ValueError(f"Core ML cannot load {path}.") from error

    def _run(self, images):
        answers = self._model.predict({"images": images})
        return {
            name: np.asarray(values).astype(DTYPES[name])
            if name in DTYPES
            else values
            for name, values in answers.items()
        }


def _load_spec(coremltools, path):
    (graph,) = (path / INSIDE).glob("*.mlmodel")
    return coremltools.utils.load_spec(str(graph))


def _convert(coremltools, answering, half):
    """Converts a model; its outputs get their names afterwards."""
    import tensorflow as tf

    (images,) = answering.inputs
    signature = [tf.TensorSpec(images.shape, images.dtype, name="images")]

    @tf.function(input_signature=signature)
    def answer(images):
        answers = answering(images, training=False)
        return {  # Core ML gives no truth values.
            name: tf.cast(x, tf.int32) if x.dtype == tf.bool else x
            for name, x in answers.items()
        }

    concrete = answer.get_concrete_function()
    precision = coremltools.precision.FLOAT32
    if half:
        precision = coremltools.transform.FP16ComputePrecision(
            lambda operation: operation.op_type in HALF_KINDS
        )
    tensor_type = coremltools.TensorType
    batch = coremltools.RangeDim(1, MAX_BATCH_SIZE)
    shape = (batch, *images.shape[1:])
    try:
        converted = coremltools.convert(
            [concrete],
            source="tensorflow",
            inputs=[tensor_type("images", shape=shape, dtype=np.float32)],
            outputs=[
                tensor_type(
                    _numbered(tensor), dtype=tensor.dtype.as_numpy_dtype
                )
                for tensor in concrete.outputs
            ],
            convert_to="mlprogram",
            compute_precision=precision,
            # The first that takes and gives tensors of any such shape.
            minimum_deployment_target=coremltools.target.iOS16,
            skip_model_load=True,
        )
    except Exception as error:  # All sorts, by what it stumbles over.
        raise ValueError(
            "The model cannot be exported to Core ML: "
            f"{type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    spec = converted.get_spec()
    for name, tensor in concrete.structured_outputs.items():
        coremltools.utils.rename_feature(spec, _numbered(tensor), name)
    return coremltools.models.MLModel(
        spec, weights_dir=converted.weights_dir, skip_model_load=True
    )


def _numbered(tensor):
    """Returns what TensorFlow calls an output, such as `Identity_3`."""
    return tensor.name.partition(":")[0]
