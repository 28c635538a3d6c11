"""SavedModel: a folder for TensorFlow Serving, Triton and TensorFlow itself."""

import os
import pathlib
from typing import TYPE_CHECKING, Any

from keras_csg.deployment.formats.base import ExportedAnswers, Format
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
        write_descriptions(extra, metadata)

    def open(self, path: pathlib.Path) -> "SavedModelAnswers":
        """Opens a SavedModel in TensorFlow."""
        return SavedModelAnswers(path)

    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of a SavedModel."""
        if not self.lies_at(path):
            raise ValueError(
                f"{path} is no SavedModel: it has no {GRAPH_FILE}."
            )
        return read_description(
            path / EXTRA, f"{path} is no SavedModel that keras_csg exported."
        )

    def lies_at(self, path: pathlib.Path) -> bool:
        """Tells whether a path is a SavedModel's folder, whatever its name."""
        return (path / GRAPH_FILE).is_file()


class SavedModelAnswers(ExportedAnswers):
    """An exported SavedModel in TensorFlow.

    Args:
        path: path of the folder.
    """

    def __init__(self, path: pathlib.Path):
        self.metadata = SavedModelFormat().read_metadata(path)
        import tensorflow as tf

        from keras_csg.engines.on_tensorflow import outside_strategies

        self.runtime = f"tensorflow {tf.__version__}"
        try:
            self._loaded = outside_strategies(
                lambda: tf.saved_model.load(os.fspath(path))
            )
            self._explain = self._loaded.signatures[EXPLAIN]
        except Exception as error:  # All sorts, by what is missing.
            raise ValueError(f"TensorFlow cannot load {path}.") from error

    def _run(self, images):
        import tensorflow as tf

        from keras_csg.engines.on_tensorflow import outside_strategies

        answers = outside_strategies(
            lambda: self._explain(images=tf.constant(images))
        )
        return {name: value.numpy() for name, value in answers.items()}


def _endpoint(model):
    def answer(images):
        return model(images, training=False)

    return answer
