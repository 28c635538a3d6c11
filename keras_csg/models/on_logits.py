"""What `compile` makes of losses and metrics: a classifier answers in logits.

Keras's own take probabilities unless they are told, and then say nothing.
"""

from typing import Any

import keras

from keras_csg.models.losses import ClassAccuracy, LogitCrossentropy
from keras_csg.models.multi_label_losses import LogitBinaryCrossentropy

# By name they mean the form that takes logits, and labels of either kind.
CROSSENTROPIES = (
    "crossentropy",
    "ce",
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
)
BINARY_CROSSENTROPIES = (
    "crossentropy",
    "ce",
    "binary_crossentropy",
    "bce",
)
"""The same of a classifier whose images may have several classes."""
OF_PROBABILITIES = (
    "CategoricalGeneralizedCrossEntropy",
    "Dice",
    "KLDivergence",
    "Poisson",
    "Tversky",
)
"""Losses and metrics of Keras that have no form for logits."""
OF_ONE_CLASS = (
    LogitCrossentropy,
    keras.losses.CategoricalCrossentropy,
    keras.losses.SparseCategoricalCrossentropy,
)
"""Losses that know of one class an image."""
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


def loss_on_logits(loss: Any, multi_label: bool = False) -> keras.losses.Loss:
    """Returns the `keras.losses.Loss` that `loss` names, is or wraps.

    Args:
        loss: as `compile` takes it. Keras's categorical cross-entropies become
            `LogitCrossentropy`, which takes hard and soft labels.
        multi_label: bool. Whether an image may have several classes. By name
            cross-entropy then is `LogitBinaryCrossentropy`.

    Raises:
        ValueError: if it reads probabilities, is no loss, or with
            `multi_label` is of one class an image.
    """
    names = BINARY_CROSSENTROPIES if multi_label else CROSSENTROPIES
    if isinstance(loss, str) and _snake_case(loss) in names:
        return LogitBinaryCrossentropy() if multi_label else LogitCrossentropy()
    given, loss = loss, keras.losses.get(loss)
    one = given in CROSSENTROPIES or isinstance(loss, OF_ONE_CLASS)
    if multi_label and one:
        raise ValueError(
            "`loss` must be of several classes an image with `multi_label`, "
            f"such as {names[0]!r}. Received: loss={given}"
        )
    if not isinstance(loss, keras.losses.Loss):
        raise ValueError(
            "`loss` must be a `keras.losses.Loss` or one of "
            f"{', '.join(names)}. Received: loss={loss}"
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


def average_precision(name: str, num_classes: int) -> keras.metrics.AUC:
    """Returns a metric of logits: the mean of the classes' precisions.

    The area under each class's curve of precision over recall, from 200
    thresholds: near scikit-learn's `average_precision_score`, which has all.

    Args:
        name: str.
        num_classes: int.
    """
    return keras.metrics.AUC(
        curve="PR",
        multi_label=True,
        num_labels=num_classes,
        from_logits=True,
        name=name,
    )


def metrics_on_logits(metrics: Any, labels: int | None = None) -> Any:
    """Returns metrics as `compile` takes them, all reading logits.

    Args:
        metrics: `"auto"`, `None`, or metrics by name or as objects, within
            lists and dicts. Accuracy by name becomes `ClassAccuracy`, which
            takes hard and soft labels.
        labels: int, the number of classes, where an image may have several;
            else `None`. `"auto"` and `"average_precision"` are then
            `average_precision`, and accuracy, of one class, is refused.

    Raises:
        ValueError: if one reads probabilities, or is of one class an image
            where there are several.
    """
    if metrics == "auto":
        metrics = ["accuracy" if labels is None else "average_precision"]
    if isinstance(metrics, dict):
        return {
            name: metrics_on_logits(m, labels) for name, m in metrics.items()
        }
    if isinstance(metrics, list | tuple):
        return [metrics_on_logits(metric, labels) for metric in metrics]
    if metrics is None:
        return None
    if labels is not None:
        return _metric_of_several(metrics, labels)
    return _metric_on_logits(metrics)


def _metric_of_several(metric, labels):
    """Returns a metric of images that may have several classes."""
    if metric == "average_precision":
        return average_precision(metric, labels)
    if metric in ("accuracy", "acc") or isinstance(metric, ClassAccuracy):
        raise ValueError(
            "`metrics` must be of several classes an image with "
            "`multi_label`, such as 'average_precision'. "
            f"Received: metrics={metric}"
        )
    return _metric_on_logits(metric)


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
            "against a threshold: have it of `ops.softmax(model.predict(x))`, "
            "or `ops.sigmoid` of it with `multi_label`. "
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
