"""What training minimises: in `keras.ops` alone, for any backend's step."""

from typing import Any

from keras import ops


def class_specific_kernel(model: Any) -> Any:
    """Returns `W * G`, of the head's kernel's shape `(filters, classes)`."""
    return model.head.kernel * ops.transpose(model.require_gate().gate_matrix)


def sum_own_filters(features: Any, kernel: Any, bias: Any) -> Any:
    """Returns the logits `(batch, classes)` of a head `(W * G) a + b`."""
    return ops.matmul(features, kernel) + bias


def dual_path_loss(
    model: Any,
    features: Any,
    y: Any,
    sample_weight: Any = None,
    training: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """Computes the losses of both paths from one set of features.

    Args:
        model: compiled `CSGClassifier`.
        features: Tensor of shape `(batch, filters)`.
        y: Labels, hard or soft.
        sample_weight: Optional. Tensor of shape `(batch,)`.
        training: bool. Whether `filter_dropout` applies.

    Returns:
        A tuple of the total loss and a dict with `logits`, of shape
        `(batch, classes)`, and for a gated model `standard_loss`,
        `gated_loss` and `class_specific_logits`.
    """
    if not model.gated:
        logits = model.head(features)
        return model.path_loss(y, logits, sample_weight), {"logits": logits}
    # One product for both paths: for many classes and filters reading the
    # kernel, and writing its gradient, is what takes the time.
    both = ops.concatenate([features, model.gate(features, y)])
    logits, gated_logits = ops.split(model.head(both), 2)
    standard_loss = model.path_loss(y, logits, sample_weight)
    gated_loss = model.path_loss(y, gated_logits, sample_weight)
    kernel, bias = class_specific_kernel(model), model.head.bias
    class_specific_logits = sum_own_filters(features, kernel, bias)
    standard_weight, gated_weight = ops.unstack(model.path_weights)
    loss = standard_weight * standard_loss
    loss += gated_weight * model.lambda_1 * gated_loss
    if model.lambda_3:
        trained_logits = class_specific_logits
        if training and model.filter_dropout:
            some = model.dropout(features, training=True)
            trained_logits = sum_own_filters(some, kernel, bias)
        loss += (gated_weight * model.lambda_3) * model.path_loss(
            y, trained_logits, sample_weight
        )
    return loss, {
        "logits": logits,
        "standard_loss": standard_loss,
        "gated_loss": gated_loss,
        "class_specific_logits": class_specific_logits,
    }
