"""A classifier that answers as an exported file does."""

import keras

from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.deployment.graph.outputs import output_names
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.detection import AnomalyDetector


class ClassifierAnswers(ExportedAnswers):
    """A classifier that answers as an exported file does.

    Args:
        model: `CSGClassifier`.
        with_heatmap: bool. Whether to compute heatmaps, which takes time.
        detector: `AnomalyDetector` that was loaded with the model, of any
            score; `None` for none.
    """

    def __init__(
        self,
        model: CSGClassifier,
        with_heatmap: bool,
        detector: AnomalyDetector | None = None,
    ):
        names = output_names(model.gated)
        if not with_heatmap:
            names.remove("heatmap")
        self._answering = answering_model(
            model, names, features=detector is not None
        )
        self._detector = detector
        names = output_names(model.gated, detector is not None)
        self.metadata = describe(
            model,
            self._answering,
            "keras",
            detector=detector,
            outputs=[n for n in names if with_heatmap or n != "heatmap"],
        )
        self.runtime = f"keras {keras.__version__}"

    def _run(self, images):
        answers = {
            name: keras.ops.convert_to_numpy(values)
            for name, values in self._answering(images, training=False).items()
        }
        if self._detector is not None:
            scores = self._detector.score_samples(answers.pop("features"))
            answers["anomaly_score"] = self._detector.ranks(scores)
            answers["known"] = scores <= self._detector.threshold_
        return answers
