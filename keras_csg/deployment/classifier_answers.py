"""A classifier that answers as an exported file does."""

import keras

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.deployment.graph.outputs import output_names
from keras_csg.deployment.metadata import describe
from keras_csg.models.classifier import CSGClassifier


class ClassifierAnswers(ExportedAnswers):
    """A classifier that answers as an exported file does.

    Args:
        model: `CSGClassifier`.
        with_heatmap: bool. Whether to compute heatmaps, which takes time.
    """

    def __init__(self, model: CSGClassifier, with_heatmap: bool):
        names = output_names(model.gated)
        if not with_heatmap:
            names.remove("heatmap")
        self._answering = answering_model(model, names)
        self.metadata = describe(model, self._answering, "keras")
        self.runtime = f"keras {keras.__version__}"

    def _run(self, images):
        answers = self._answering(images, training=False)
        return {
            name: keras.ops.convert_to_numpy(values)
            for name, values in answers.items()
        }
