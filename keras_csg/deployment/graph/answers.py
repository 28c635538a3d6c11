"""The model that is exported: a `CSGClassifier` with all of its outputs."""

import contextlib
import functools
from collections.abc import Iterable

import keras
from keras import ops

from keras_csg.backbones.flattening import flat_features
from keras_csg.choices import INPUT_DTYPES
from keras_csg.deployment.graph.answer_layers import (
    ClassActivationMap,
    ClassHead,
    Evidence,
    FilterContributions,
    PredictedProbability,
)
from keras_csg.deployment.graph.detector import (
    DETECTOR_LAYERS,
    known_of,
    score_of,
)
from keras_csg.deployment.graph.folding import fold_batch_normalization
from keras_csg.deployment.graph.outputs import DETECTOR_OUTPUTS, output_names
from keras_csg.deployment.graph.plain_layers import plain_layer
from keras_csg.evaluation.temperature import Calibration
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.detection import AnomalyDetector

OWN_LAYERS = (
    "images",
    "pooling",
    "standard_head",
    "class_specific_head",
    "filter_contributions",
    "evidence",
    "heatmap",
    "gate_agreement",
    *DETECTOR_LAYERS,
)
"""Names of the layers that are put before and behind the backbone's."""


def answering_model(
    model: CSGClassifier,
    outputs: Iterable[str] | None = None,
    input_dtype: str = "float32",
    *,
    detector: AnomalyDetector | None = None,
    temperature: Calibration | None = None,
    features: bool = False,
) -> keras.Model:
    """Builds one flat model that computes every output in one pass.

    It computes in float32 whatever the classifier was trained in, has copies
    of its weights, its batch normalisations folded into the convolutions
    before them, and holds `W * G` ready, so nothing of the gate is computed
    for each image.

    Args:
        model: `CSGClassifier`.
        outputs: list of names out of
            `keras_csg.deployment.graph.outputs.OUTPUTS`; `None` for all the
            model has.
        input_dtype: `"float32"` or `"uint8"`.
        detector: `AnomalyDetector` that was fitted on the model, whose answers
            are outputs as well; `None` for none.
        temperature: `Calibration`. What the logits are divided by before they
            become probabilities, of which `gate_agreement` is one; nothing
            else changes. `None` for nothing.
        features: bool. Whether to answer the average of each filter's map too,
            as `features`.

    Returns:
        A functional `keras.Model` without models inside. Its input, `images`,
        has shape `(batch, height, width, 3)`, RGB in 0..255. It returns a dict
        with those of these that were asked for:

        - `probabilities`: `(batch, classes)`, the standard path's softmax; its
          sigmoids of a model with `multi_label`.
        - `class_id`: `(batch,)`, int32, the predicted class: its argmax.
        - `class_specific_probabilities`: `(batch, classes)`, the same of
          `(W * G) a + b`. Gated models only.
        - `filter_contributions`: `(batch, filters)`, what each filter adds to
          the evidence for the predicted class `c`: `W[c, k] G[c, k] a_k`.
          Without a gate the head's weights less their mean over the classes
          take the place of `W * G`: logits are told up to a shift of all, and
          so are its weights; with `multi_label` they are not, and stay.
        - `evidence`: `(batch,)`, their sum: the class-specific logit of the
          predicted class without its bias; without a gate the logit without
          biases, less the mean of all classes' but with `multi_label`.
        - `heatmap`: `(batch, h, w)`, the class activation map of the predicted
          class by the same weights, so it is where the evidence lies: its
          positive part, divided by its maximum; zeros where that is zero.
        - `gate_agreement`: `(batch,)`, the class-specific probability of the
          predicted class. Gated models only.
        - `anomaly_score`: `(batch,)`, with a detector: the share of clean
          images that are less strange, 0..1.
        - `known`: `(batch,)`, bool, with a detector: whether that is at most
          `1 - false_alarm_rate`.

    Raises:
        ValueError: if the model is no `CSGClassifier`, has no such output, or
            `input_dtype` is another.
    """
    names = check_outputs(model, outputs, detector is not None)
    names += ["features"] * features
    if input_dtype not in INPUT_DTYPES:
        raise ValueError(
            f"`input_dtype` must be one of {', '.join(INPUT_DTYPES)}. "
            f"Received: input_dtype={input_dtype!r}"
        )
    with _float32_policy():
        return fold_batch_normalization(
            _build(model, names, input_dtype, detector, temperature)
        )


def check_outputs(
    model: CSGClassifier,
    outputs: Iterable[str] | None,
    detects: bool = False,
) -> list[str]:
    """Returns the names of the chosen outputs, in the order of `OUTPUTS`.

    Args:
        model: `CSGClassifier`.
        outputs: list of names; `None` for all the model has.
        detects: bool. Whether there is a detector.

    Raises:
        ValueError: if the model is no `CSGClassifier` or has no such output,
            or there is a detector that none is of.
    """
    if not isinstance(model, CSGClassifier):
        raise ValueError(
            "`model` must be a `CSGClassifier`, such as `keras_csg.build` "
            "makes or `keras.saving.load_model` loads. "
            f"Received: model of type {type(model).__name__}"
        )
    known = output_names(model.gated, detects)
    names = known if outputs is None else list(outputs)
    strange = [name for name in names if name not in known]
    if strange or not names:
        gate = " of a model without a gate" if not model.gated else ""
        needs = ""
        if DETECTOR_OUTPUTS.keys() & set(strange):
            needs = f" {' and '.join(DETECTOR_OUTPUTS)} take a `detector`."
        raise ValueError(
            f"`outputs`{gate} must be out of {', '.join(known)}.{needs} "
            f"Received: outputs={', '.join(map(str, strange)) or names}"
        )
    _check_detector(names, detects)
    return [name for name in known if name in names]


def _check_detector(names, detects):
    if detects and not DETECTOR_OUTPUTS.keys() & set(names):
        raise ValueError(
            "With a detector `outputs` must name anomaly_score or known. "
            f"Received: outputs={', '.join(names)}"
        )


def _build(model, names, input_dtype, detector, temperature):
    images = keras.Input(
        model.backbone.input_shape[1:], name="images", dtype=input_dtype
    )
    pixels = images
    if input_dtype != "float32":
        pixels = ops.cast(images, "float32")
    maps = flat_features(model.backbone, pixels, plain_layer, OWN_LAYERS)
    answers = _Answers(model, maps, detector, temperature)
    return keras.Model(
        images,
        {name: getattr(answers, name) for name in names},
        name=f"{model.name}_answers",
    )


@contextlib.contextmanager
def _float32_policy():
    """Makes float32 the policy of layers that are made inside others."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


class _Answers:
    """Keras tensors of the answers, each made when it is first asked for."""

    def __init__(self, model, maps, detector, temperature):
        self._model = model
        self._maps = maps
        self._detector = detector
        self._temperature = self._specific_temperature = 1.0
        if temperature is not None:
            self._temperature = temperature.temperature
            own = temperature.class_specific_temperature
            self._specific_temperature = 1.0 if own is None else own
        self.features = keras.layers.GlobalAveragePooling2D(
            data_format="channels_last", dtype="float32", name="pooling"
        )(maps)

    @functools.cached_property
    def _standard(self):
        kernel, bias = self._model.head.get_weights()
        if not (
            self._model.gated or self._model.multi_label
        ):  # The same probabilities, and one evidence.
            kernel = kernel - kernel.mean(axis=1, keepdims=True)
            bias = bias - bias.mean()
        return self._head("standard_head", kernel, bias, self._temperature)

    @functools.cached_property
    def _class_specific(self):
        kernel, bias = self._model.head.get_weights()
        gate_matrix = ops.convert_to_numpy(self._model.gate.gate_matrix)
        return self._head(
            "class_specific_head",
            kernel * gate_matrix.T,
            bias,
            self._specific_temperature,
            self.class_id,
        )

    @property
    def _weights(self):
        """Returns the predicted class's weights, `(batch, filters)`."""
        head = self._class_specific if self._model.gated else self._standard
        return head["weights"]

    def _head(self, name, kernel, bias, temperature, *class_id):
        layer = ClassHead(
            len(bias),
            self._model.multi_label,
            temperature,
            dtype="float32",
            name=name,
        )
        answers = layer(self.features, *class_id)
        layer.set_weights([kernel.T, bias])
        return answers

    @property
    def probabilities(self):
        return self._standard["probabilities"]

    @property
    def class_id(self):
        return self._standard["class_id"]

    @property
    def class_specific_probabilities(self):
        return self._class_specific["probabilities"]

    @functools.cached_property
    def filter_contributions(self):
        layer = FilterContributions(
            dtype="float32", name="filter_contributions"
        )
        return layer(self.features, self._weights)

    @property
    def evidence(self):
        layer = Evidence(dtype="float32", name="evidence")
        return layer(self.filter_contributions)

    @property
    def heatmap(self):
        layer = ClassActivationMap(dtype="float32", name="heatmap")
        return layer(self._maps, self._weights)

    @property
    def gate_agreement(self):
        layer = PredictedProbability(dtype="float32", name="gate_agreement")
        return layer(self.class_specific_probabilities, self.class_id)

    @functools.cached_property
    def anomaly_score(self):
        return score_of(
            self._detector,
            self.features,
            lambda: self._standard["logits"],
            lambda: self._class_specific["logits"],
        )

    @property
    def known(self):
        return known_of(self._detector, self.anomaly_score)
