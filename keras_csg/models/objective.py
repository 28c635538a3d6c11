"""What training minimises: in `keras.ops` alone, for any backend's step."""

from typing import Any

from keras import ops

from keras_csg.engines import engine
from keras_csg.models.losses import ComplementLoss, OffClassActivation
from keras_csg.models.multi_label_losses import MultiLabelComplementLoss
from keras_csg.models.off_class_variance import off_class_variance


def dual_path_loss(
    model: Any,
    features: Any,
    y: Any,
    sample_weight: Any = None,
    training: bool = False,
    path_weights: Any = (1.0, 1.0),
) -> tuple[Any, dict[str, Any]]:
    """Computes the losses of both paths from one set of features.

    Args:
        model: compiled `CSGClassifier`.
        features: Tensor of shape `(batch, filters)`.
        y: Labels, hard or soft; of a multi-label model those of all classes.
        sample_weight: Optional. Tensor of shape `(batch,)`.
        training: bool. Whether `filter_dropout` applies.
        path_weights: weights of the standard path's loss and of what trains
            through the gate.

    Returns:
        A tuple of the total loss and a dict with `logits`, of shape
        `(batch, classes)`, the `loss` of the standard path and, for a gated
        model, `gated_loss`, `class_specific_loss` and
        `class_specific_logits`, and `complement_loss`, `off_class` and
        `off_class_variance` where they have a weight.
    """
    if not model.gated:
        logits = model.head(features)
        loss = model.path_loss(y, logits, sample_weight)
        return loss, {"logits": logits, "loss": loss}
    paths = _path_losses(model, features, y, sample_weight, training)
    standard_weight, gated_weight = path_weights
    through_gate = (
        model.lambda_1 * paths["gated_loss"]
        + model.lambda_3 * paths["class_specific_loss"]
    )
    if model.lambda_4:
        through_gate += model.lambda_4 * paths["complement_loss"]
    if model.lambda_5:
        through_gate += model.lambda_5 * paths["off_class"]
    if model.lambda_6:
        through_gate += model.lambda_6 * paths["off_class_variance"]
    return standard_weight * paths["loss"] + gated_weight * through_gate, paths


def _path_losses(model, features, y, sample_weight, training):
    rows = model.gate.rows(y)
    logits, gated_logits, complement_logits = _head(model, features, rows)
    paths = {
        "logits": logits,
        "loss": model.path_loss(y, logits, sample_weight),
        "gated_loss": model.path_loss(y, gated_logits, sample_weight),
        **_class_specific(model, features, y, sample_weight, training),
    }
    if model.lambda_4:
        complement = ComplementLoss()
        if model.multi_label:
            complement = MultiLabelComplementLoss()
        paths["complement_loss"] = complement(
            y, complement_logits, sample_weight
        )
    if model.lambda_5:
        paths["off_class"] = OffClassActivation()(
            ops.stop_gradient(rows), features, sample_weight
        )
    if model.lambda_6:
        told = off_class_variance(
            features, y, ops.stop_gradient(rows), logits, sample_weight
        )
        # Gradients of replicas are added up; Keras does so to its losses.
        paths["off_class_variance"] = told / engine.count_replicas()
    return paths


def _head(model, features, rows):
    """Returns the head's logits of all, the own and the other filters.

    One product for all of them: for many classes and filters reading the
    kernel, and writing its gradient, is what takes the time.
    """
    inputs = [features, rows * features]
    if model.lambda_4:
        inputs.append((1 - ops.stop_gradient(rows)) * features)
    logits = ops.split(model.head(ops.concatenate(inputs)), len(inputs))
    return logits if model.lambda_4 else (*logits, None)


def _class_specific(model, features, y, sample_weight, training):
    if training and model.lambda_3 and model.filter_dropout:
        some = model.dropout(features, training=True)
        logits, trained_logits = model.class_specific_head(features, some)
    else:
        logits = trained_logits = model.class_specific_head(features)
    return {
        "class_specific_logits": logits,
        "class_specific_loss": model.path_loss(
            y, trained_logits, sample_weight
        ),
    }
