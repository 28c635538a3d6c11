"""SavedModel: a folder for TensorFlow Serving, Triton and TensorFlow itself."""

import os

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.metadata import Metadata
from keras_csg.quiet import quietly

SUFFIX = ""
EXPLAIN = "explain"
SERVING = "serving_default"
# What the default signature answers; `explain` has all that was exported.
SERVING_OUTPUTS = (
    "probabilities",
    "class_id",
    "class_specific_probabilities",
    "gate_agreement",
)
EXTRA = "assets.extra"


def write(model, metadata, path):
    """Writes a model as a SavedModel with two signatures.

    `serving_default` answers with `SERVING_OUTPUTS`, as far as the model has
    them, and `explain` with everything.

    Args:
        model: `keras.Model` from `answering_model`.
        metadata: its `Metadata`.
        path: path of the folder.
    """
    import keras

    (images,) = model.inputs
    answers = model.output
    serving = {n: answers[n] for n in SERVING_OUTPUTS if n in answers}
    signature = [keras.InputSpec(images.dtype, images.shape, name="images")]
    archive = keras.export.ExportArchive()
    archive.track(model)
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
    (extra / "keras_csg.json").write_text(metadata.to_json())
    (extra / "labels.txt").write_text("\n".join(metadata.class_names) + "\n")


def read_metadata(path):
    """Reads the `Metadata` of a SavedModel.

    Raises:
        ValueError: if it is none, or none that this package wrote.
    """
    if not (path / "saved_model.pb").is_file():
        raise ValueError(f"{path} is no SavedModel: it has no saved_model.pb.")
    try:
        text = (path / EXTRA / "keras_csg.json").read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is no SavedModel that keras_csg exported."
        ) from error
    return Metadata.from_json(text)


def open(path):
    """Opens a SavedModel in TensorFlow.

    Raises:
        ValueError: if it is none that this package wrote, or damaged.
    """
    return SavedModelAnswers(path)


class SavedModelAnswers(ExportedAnswers):
    """An exported SavedModel in TensorFlow.

    Args:
        path: path of the folder.
    """

    def __init__(self, path):
        self.metadata = read_metadata(path)
        import tensorflow as tf

        self.runtime = f"tensorflow {tf.__version__}"
        try:
            self._loaded = tf.saved_model.load(os.fspath(path))
            self._explain = self._loaded.signatures[EXPLAIN]
        except Exception as error:  # All sorts, by what is missing.
            raise ValueError(f"TensorFlow cannot load {path}.") from error

    def _run(self, images):
        import tensorflow as tf

        answers = self._explain(images=tf.constant(images))
        return {name: value.numpy() for name, value in answers.items()}


def _endpoint(model):
    def answer(images):
        return model(images, training=False)

    return answer
