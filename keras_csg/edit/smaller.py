"""A classifier with some of another's filters and classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_csg.edit.report import EditReport, some_of
from keras_csg.edit.surgery import cut_backbone
from keras_csg.layers import UnitMaxGate
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier

LEAST_CLASSES = 2


def smaller_classifier(
    model: CSGClassifier,
    filters: np.ndarray,
    classes: Sequence[int] = (),
    *,
    shared: Sequence[int] = (),
    constants: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> CSGClassifier:
    """Returns a new classifier without some filters and classes.

    Args:
        model: `CSGClassifier`; it stays as it is.
        filters: int array, numbers of the filters to remove.
        classes: numbers of the classes to remove.
        shared: numbers of filters that stay although a removed class has them.
        constants: array of shape `(filters,)`: what each removed filter always
            answers, which the head's bias takes over; `None` for 0.
        notes: lines for the report.

    Returns:
        `CSGClassifier` with layers and weights of its own, not compiled, and
        what was done as `edit_report`.

    Raises:
        ValueError: if no filter or fewer than two classes would be left, or
            the head is quantized.
    """
    kept = np.setdiff1d(np.arange(model.filters), filters)
    stay = np.setdiff1d(np.arange(model.num_classes), classes).astype(int)
    _check(model, kept, stay)
    backbone = cut_backbone(model.backbone, kept)
    config = _config(model, backbone.model, kept, stay)
    new = type(model)(**config)
    _take_head(new, model, kept, stay, constants)
    if model.gated:
        _take_gate(new, model, kept, stay)
    names = class_names_of(model)
    new.edit_report = EditReport(
        filters=[int(number) for number in filters],
        classes=[names[number] for number in classes],
        shared=[int(number) for number in shared],
        cut=backbone.cut,
        selected=backbone.selected,
        parameters_before=_parameters(model),
        parameters=_parameters(new),
        notes=[*notes, *_about(backbone, filters), *_bereft(new)],
    )
    return new


def _check(model, kept, stay):
    if len(stay) < LEAST_CLASSES:
        raise ValueError(
            "A classifier needs two classes at least, and of the "
            f"{model.num_classes} there would be {len(stay)} left."
        )
    if not len(kept):
        raise ValueError(
            f"No filter would be left of the {model.filters}: name fewer."
        )
    dtype = str(ops.convert_to_numpy(model.head.kernel).dtype)
    if not dtype.startswith("float"):
        raise ValueError(
            "A quantized classifier cannot be edited: edit the one that it "
            f"was made of. Received: a head of {dtype}"
        )


def _config(model, backbone, kept, stay) -> dict[str, Any]:
    """Returns the constructor's arguments of the new classifier."""
    config = model.get_config()
    there = {layer.name for layer in backbone.layers}
    names = model.class_names
    config |= {
        "backbone": backbone,
        "schedule": model.schedule,
        "num_classes": len(stay),
        "class_names": names and [names[number] for number in stay],
        "density": _density(model, len(stay)),
        "frozen": [
            part
            for part in model.frozen
            if not part.startswith("backbone/") or part.split("/")[1] in there
        ],
    }
    if config.get("filter_names"):
        number_of = {int(old): new for new, old in enumerate(kept)}
        config["filter_names"] = {
            number_of[int(old)]: name
            for old, name in config["filter_names"].items()
            if int(old) in number_of
        }
    return config


def _density(model, classes):
    """Returns the density that leaves as many classes to each filter."""
    if model.density is None:
        return None
    return min(1.0, model.density * model.num_classes / classes)


def _take_head(new, model, kept, stay, constants):
    kernel, bias = map(ops.convert_to_numpy, model.head.weights)
    if constants is not None:
        gone = np.setdiff1d(np.arange(model.filters), kept)
        bias = bias + constants[gone] @ kernel[gone]
    new.head.set_weights([kernel[kept][:, stay], bias[stay]])


def _take_gate(new, model, kept, stay):
    """Takes gate and budget; each filter is fully open to a class again."""
    matrix = ops.convert_to_numpy(model.gate.gate_matrix)
    part = matrix[stay][:, kept]
    new.gate.gate_matrix.assign(UnitMaxGate()(ops.convert_to_tensor(part)))
    new.epochs_trained = model.epochs_trained
    new.path_weights.assign(model.path_weights)
    if model.gate_budget is None:
        return
    pairs = zip(new.gate_budget.weights, model.gate_budget.weights, strict=True)
    for mine, old in pairs:
        values = ops.convert_to_numpy(old)
        if values.shape == matrix.shape:
            values = values[stay][:, kept]
        mine.assign(values)


def _parameters(model):
    """Returns the weights that a prediction needs."""
    return model.backbone.count_params() + model.head.count_params()


def _about(backbone, filters):
    if len(filters) and not backbone.cut:
        yield (
            "The backbone could not be cut: its filters come out of "
            f"{backbone.selected[0].removesuffix('_select')}, which needs all "
            "of them. They are dropped behind it, so that the head and the "
            "gate are smaller and nothing else."
        )
    elif len(filters) and backbone.selected:
        yield (
            "Other layers need some of the channels before "
            f"{', '.join(backbone.selected)}: there they are still computed, "
            "and dropped."
        )


def _bereft(model):
    """Says which classes have no filter of their own left."""
    if not model.gated:
        return
    matrix = ops.convert_to_numpy(model.gate.gate_matrix)
    bereft = np.flatnonzero(matrix.max(axis=1) < 1)
    if len(bereft):
        names = class_names_of(model)
        yield (
            "No filter of their own is left to "
            f"{some_of([names[number] for number in bereft])}."
        )
