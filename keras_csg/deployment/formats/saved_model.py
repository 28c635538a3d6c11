"""SavedModel: a folder for TensorFlow Serving, Triton and TensorFlow itself."""

import os
import pathlib
from typing import TYPE_CHECKING, Any

from keras_csg.deployment.formats.base import ExportedAnswers, Format, why
from keras_csg.deployment.formats.described import check_described
from keras_csg.deployment.formats.digests import (
    check_digest,
    digest_of_files,
    size_of,
)
from keras_csg.deployment.formats.saved_model_copy import (
    answering_part,
    to_load,
)
from keras_csg.deployment.formats.saved_model_graph import check_graph
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

EXPLAIN = "explain"
SERVING = "serving_default"
# What the default signature answers; `explain` has all that was exported.
SERVING_OUTPUTS = (
    "probabilities",
    "class_id",
    "class_specific_probabilities",
    "gate_agreement",
    "anomaly_score",
    "known",
)
EXTRA = "assets.extra"
GRAPH_FILE = "saved_model.pb"
MODEL_FILES = (GRAPH_FILE, "variables/variables.*")


class SavedModelFormat(Format):
    """A folder with two signatures.

    `serving_default` answers with `SERVING_OUTPUTS`, as far as the model has
    them, and `explain` with everything.
    """

    name = "saved_model"
    suffix = ""
    contents = (
        GRAPH_FILE,
        "fingerprint.pb",
        "variables/variables.*",
        f"{EXTRA}/{METADATA_FILE}",
        f"{EXTRA}/{LABELS_FILE}",
    )
    # TensorFlow Serving's folder of a version is the SavedModel itself.
    in_layouts = {"triton": "model.savedmodel", "tfserving": ""}
    triton_platform = "tensorflow_savedmodel"
    triton_parameters = {"TF_SIGNATURE_DEF": EXPLAIN}
    runs_in_tensorflow = True

    def write(
        self,
        answering: "keras.Model",
        metadata: Metadata,
        path: pathlib.Path,
        **settings: Any,
    ) -> None:
        """Writes a model as a SavedModel."""
        import keras

        (images,) = answering.inputs
        answers = answering.output
        serving = {n: answers[n] for n in SERVING_OUTPUTS if n in answers}
        signature = [keras.InputSpec(images.dtype, images.shape, name="images")]
        archive = keras.export.ExportArchive()
        archive.track(answering)
        with quietly():
            for name, outputs in (
                (SERVING, serving or answers),
                (EXPLAIN, answers),
            ):
                archive.add_endpoint(
                    name, _endpoint(keras.Model(images, outputs)), signature
                )
            archive.write_out(os.fspath(path), verbose=False)
        extra = path / EXTRA
        extra.mkdir()
        write_descriptions(extra, metadata.sealed(_digest(path)))

    def open(
        self, path: pathlib.Path, trust: bool = False
    ) -> "SavedModelAnswers":
        """Opens a SavedModel in TensorFlow."""
        return SavedModelAnswers(path, trust)

    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of a SavedModel."""
        if not self.lies_at(path):
            raise ValueError(
                f"{path} is no SavedModel: it has no {GRAPH_FILE}."
            )
        return read_description(
            path / EXTRA,
            f"{path} is no SavedModel that keras_csg exported.",
            size_of(path, MODEL_FILES),
            self.name,
        )

    def lies_at(self, path: pathlib.Path) -> bool:
        """Tells whether a path is a SavedModel's folder, whatever its name."""
        return (path / GRAPH_FILE).is_file()


class SavedModelAnswers(ExportedAnswers):
    """An exported SavedModel in TensorFlow.

    Args:
        path: path of the folder.
        trust: bool. Whether it may have operations that no export needs.
    """

    def __init__(self, path: pathlib.Path, trust: bool = False):
        self.metadata = SavedModelFormat().read_metadata(path)
        check_digest(self.metadata, path, lambda: _digest(path))
        part = None
        if not trust:
            checked = check_graph(path, GRAPH_FILE, size_of(path, MODEL_FILES))
            part = answering_part(checked)
        import tensorflow as tf

        from keras_csg.engines.on_tensorflow import outside_strategies

        self.runtime = f"tensorflow {tf.__version__}"
        try:
            with to_load(path, GRAPH_FILE, part) as folder:
                self._loaded = outside_strategies(
                    lambda: tf.saved_model.load(folder)
                )
            self._explain = self._loaded.signatures[EXPLAIN]
        except Exception as error:  # All sorts, by what is missing.
            raise ValueError(
                f"TensorFlow cannot load {path}{why(error)}."
            ) from error
        given = self._explain.structured_input_signature[1].get("images")
        shape = getattr(given, "shape", None)
        answers = self._explain.structured_outputs
        shapes = {name: _sides(x.shape) for name, x in answers.items()}
        check_described(self.metadata, path, _sides(shape), shapes)

    def _run(self, images):
        import tensorflow as tf

        from keras_csg.engines.on_tensorflow import outside_strategies

        answers = outside_strategies(
            lambda: self._explain(images=tf.constant(images))
        )
        return {name: value.numpy() for name, value in answers.items()}


def _sides(shape):
    """Returns a shape as a list; of an unknown one an empty one."""
    known = shape is not None and shape.rank is not None
    return list(shape.as_list()) if known else []


def _digest(path):
    return digest_of_files(path, MODEL_FILES)


def _endpoint(model):
    def answer(images):
        return model(images, training=False)

    return answer
