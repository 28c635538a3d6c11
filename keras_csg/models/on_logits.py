"""What `compile` makes of losses and metrics: a classifier answers in logits.

Keras's own take probabilities unless they are told, and then say nothing.
"""

from typing import Any

import keras

from keras_csg.models.losses import ClassAccuracy, LogitCrossentropy

# By name they mean the form that takes logits, and labels of either kind.
CROSSENTROPIES = (
    "crossentropy",
    "ce",
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
)
OF_PROBABILITIES = (
    "CategoricalGeneralizedCrossEntropy",
    "Dice",
    "KLDivergence",
    "Poisson",
    "Tversky",
)
"""Losses and metrics of Keras that have no form for logits."""
OF_A_THRESHOLD = (
    "AUC",
    "BinaryAccuracy",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
)
"""Metrics of Keras that hold each class's value against thresholds in 0..1."""


def loss_on_logits(loss: Any) -> keras.losses.Loss:
    """Returns the `keras.losses.Loss` that `loss` names, is or wraps.

    Args:
        loss: as `compile` takes it. Keras's categorical cross-entropies become
            `LogitCrossentropy`, which takes hard and soft labels.

    Raises:
        ValueError: if it reads probabilities, or is no loss.
    """
    if isinstance(loss, str) and _snake_case(loss) in CROSSENTROPIES:
        return LogitCrossentropy()
    given, loss = loss, keras.losses.get(loss)
    if not isinstance(loss, keras.losses.Loss):
        raise ValueError(
            "`loss` must be a `keras.losses.Loss` or one of "
            f"{', '.join(CROSSENTROPIES)}. Received: loss={loss}"
        )
    loss = _reading_logits("loss", given, loss)
    if type(loss) is keras.losses.CategoricalCrossentropy and loss.axis == -1:
        return LogitCrossentropy(
            label_smoothing=loss.label_smoothing,
            name=loss.name,
            reduction=loss.reduction,
            dtype=loss.dtype,
        )
    return loss


def metrics_on_logits(metrics: Any) -> Any:
    """Returns metrics as `compile` takes them, all reading logits.

    Args:
        metrics: `"auto"`, `None`, or metrics by name or as objects, within
            lists and dicts. Accuracy by name becomes `ClassAccuracy`, which
            takes hard and soft labels.

    Raises:
        ValueError: if one reads probabilities.
    """
    if metrics == "auto":
        return [ClassAccuracy()]
    if isinstance(metrics, dict):
        return {name: metrics_on_logits(m) for name, m in metrics.items()}
    if isinstance(metrics, list | tuple):
        return [metrics_on_logits(metric) for metric in metrics]
    return metrics if metrics is None else _metric_on_logits(metrics)


def _metric_on_logits(metric):
    if not isinstance(metric, str):
        return _reading_logits("metrics", metric, metric)
    if metric in ("accuracy", "acc"):
        return ClassAccuracy(metric)
    if _snake_case(metric) in CROSSENTROPIES:
        raise ValueError(
            "`metrics` must give a cross-entropy as an object, such as "
            "`keras.metrics.SparseCategoricalCrossentropy(from_logits=True)`; "
            "that of the standard path is `loss` in any case. "
            f"Received: metrics={metric!r}"
        )
    return _reading_logits("metrics", metric, keras.metrics.get(metric))


def _reading_logits(argument, given, instance):
    """Returns a loss or a metric that reads logits, if it was but named."""
    name = type(instance).__name__
    if name in OF_PROBABILITIES:
        raise ValueError(
            f"`{argument}` must read logits, and {name} reads probabilities. "
            f"Received: {argument}={given}"
        )
    if name in OF_A_THRESHOLD and _has_threshold(instance):
        raise ValueError(
            f"`{argument}` must read logits, and {name} holds probabilities "
            "against a threshold: have it of `ops.softmax(model.predict(x))`. "
            f"Received: {argument}={given}"
        )
    if getattr(instance, "from_logits", True):
        return instance
    if given is instance:
        raise ValueError(
            f"`{argument}` must read logits: {name}(from_logits=True). "
            "Received: from_logits=False"
        )
    config = {**instance.get_config(), "from_logits": True}
    return type(instance).from_config(config)


def _has_threshold(metric):
    """Whether it has: `AUC` of logits has none, nor a score of the largest."""
    config = metric.get_config()
    if "from_logits" in config:
        return not config["from_logits"]
    return config.get("threshold", True) is not None


def _snake_case(name):
    """Returns `CategoricalCrossentropy` as `categorical_crossentropy`."""
    parts = (f"_{c.lower()}" if c.isupper() else c for c in name)
    return name.lower() if name.isupper() else "".join(parts).lstrip("_")
