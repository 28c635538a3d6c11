"""A training that starts where another run ended: head and gate, too."""

import dataclasses
import os

import numpy as np
from keras import ops

from keras_csg.backbones.weights import WeightsReport
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.edited_runs import check_backbone_is_whole
from keras_csg.training.opening import open_run
from keras_csg.training.options import TrainingOptions

TAKEN_OVER = ("backbone", "image_size", "gate_at", "filters", "density")
"""Options that are those of the run unless somebody says otherwise."""


def with_initial_run(given: dict) -> dict:
    """Adds to options what the run that `given["init"]` names answers for.

    Args:
        given: options by name. Without `"init"` they come back as they are.

    Raises:
        ValueError: if there is no such run, it is not finished or of another
            backbone, or `weights` are given, too.
    """
    if given.get("init") is None:
        return given
    if given.get("weights") is not None:
        raise ValueError(
            "`init` starts from all that a run has learnt, `weights` from "
            "those of a backbone: leave one of them out. Received: "
            f"init={str(given['init'])!r}, weights={str(given['weights'])!r}"
        )
    if not isinstance(given["init"], str | os.PathLike) or not given["init"]:
        raise ValueError(
            "`init` must be the path of a run, or `weights:NAME`. "
            f"Received: init={given['init']!r}"
        )
    run = open_run(given["init"])
    check_backbone_is_whole(run, "init")
    options = run.options
    own = {name: getattr(options, name) for name in TAKEN_OVER}
    if given.get("backbone") not in (None, own["backbone"]):
        raise ValueError(
            f"`init` must be a run of the backbone that is trained: {run} has "
            f"{own['backbone']!r}. Received: backbone={given['backbone']!r}"
        )
    if own["image_size"] is None:
        height, width = run.load_model().input_shape[1:3]
        own["image_size"] = f"{height}x{width}"
    # The backbone's weights are found, checked and reported as any others.
    return {**own, **given, "weights": given["init"]}


def with_known_head(
    options: TrainingOptions, class_names: list[str]
) -> TrainingOptions:
    """Returns options without a phase for the head where that is trained.

    Args:
        options: `TrainingOptions`, before recipes fill them in.
        class_names: list of str. The classes of the data.

    Raises:
        ValueError: if a rate is given for the phase that is left out.
    """
    if options.init is None or options.head_epochs is not None:
        return options
    known = open_run(options.init).load_model().class_names or ()
    if not set(class_names) <= set(known):
        return options
    if options.head_learning_rate is not None:
        raise ValueError(
            "`head_learning_rate` has no effect with `init` of a run that "
            "knows all classes, whose head is trained: give `head_epochs`, "
            "too, or leave it out. Received: "
            f"head_learning_rate={options.head_learning_rate}"
        )
    return options.replace(head_epochs=0)


def take_over(
    model: CSGClassifier, init: str, report: WeightsReport | None = None
) -> WeightsReport | None:
    """Gives a classifier the head and the gate of a run, class by class.

    And the names of its filters, which are those of the run.

    The gate, and how far it is closed, is taken where both have the same
    classes and close it alike; else it is found anew, from an open one.

    Args:
        model: `CSGClassifier` with `class_names`, whose backbone is the run's.
        init: path of the run, or `weights:NAME`.
        report: `WeightsReport` on the backbone.

    Returns:
        The report, with what was taken beside the backbone.

    Raises:
        ValueError: if the run has other filters, or no class of the model.
    """
    there = open_run(init).load_model()
    names, known = list(model.class_names or ()), list(there.class_names or ())
    common = [name for name in names if name in known]
    if not common:
        raise ValueError(
            f"`init` must be a run that knows a class of the data. "
            f"Received: init={init!r}, of {', '.join(known[:4]) or 'no names'}"
        )
    if model.head.kernel.shape[0] != there.head.kernel.shape[0]:
        raise ValueError(
            "`init` must be a run with the filters of the network. Received: "
            f"init={init!r}, of {there.head.kernel.shape[0]} filters for "
            f"{model.head.kernel.shape[0]}"
        )
    to = [names.index(name) for name in common]
    of = [known.index(name) for name in common]
    for mine, other in zip(model.head.weights, there.head.weights, strict=True):
        values = ops.convert_to_numpy(mine).copy()
        values[..., to] = ops.convert_to_numpy(other)[..., of]
        mine.assign(values)
    model.filter_names = there.filter_names
    parts = [
        "head"
        if len(common) == len(names)
        else f"head of {len(common)} of the {len(names)} classes"
    ]
    if len(common) == len(names) and _take_gate(model, there, of):
        parts.append("gate")
    if report is None:
        return None
    taken = ("head", "gate", "gate_budget")
    unused = tuple(name for name in report.unused if name not in taken)
    if there.gated and model.gated and "gate" not in parts:
        unused = (*unused, "gate")
    return dataclasses.replace(report, parts=tuple(parts), unused=unused)


def _take_gate(model, there, of):
    """Takes gate and budget, their rows as `of` says; returns whether."""
    budgets = model.gate_budget, there.gate_budget
    if not model.gated or not there.gated:
        return False
    alike = len(of) == there.num_classes and (
        (budgets[0] is None) == (budgets[1] is None)
    )
    if not alike or not np.isclose(model.target_density, there.target_density):
        return False
    pairs = [(model.gate, there.gate)]
    if budgets[0] is not None:
        pairs.append(budgets)
    shape = tuple(there.gate.gate_matrix.shape)
    for mine, other in pairs:
        for target, source in zip(mine.weights, other.weights, strict=True):
            values = ops.convert_to_numpy(source)
            target.assign(values[of] if values.shape == shape else values)
    return True
