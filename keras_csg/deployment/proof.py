"""Runs an exported file beside its model: the same images, the same answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.graph.outputs import PRESENT
from keras_csg.deployment.known_proof import (
    FEATURES,
    compare_known,
    fault_of_known,
    known_to,
    worst_known,
)

if TYPE_CHECKING:
    import keras

    from keras_csg.robustness.detection import AnomalyDetector

Answers = Mapping[str, np.ndarray]
# The outputs that speak of the predicted class alone.
CLASS_OUTPUTS = (
    "filter_contributions",
    "evidence",
    "heatmap",
    "gate_agreement",
)
# Those in the logits' unit, which may be any: they are held against their size.
LOGIT_OUTPUTS = ("filter_contributions", "evidence")


class ProofError(ValueError):
    """An exported file does not answer as its model does."""


def prove(
    answering: "keras.Model",
    opened: ExportedAnswers,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    detector: "AnomalyDetector | None" = None,
    batch_sizes: tuple[int, ...] = (1, 8),
    tolerance: float = 1e-4,
    min_agreement: float = 0.95,
    max_accuracy_loss: float = 0.02,
) -> dict:
    """Compares an exported file with the Keras model it was made of.

    A float32 file must give every output within `tolerance`, those in units of
    a logit relative to the largest above 1, and, but where the two likeliest
    classes are closer than that, the same class. Outputs that speak of the
    predicted class are compared where it is the same. A quantised file must
    name the same class often enough, and with labels be nearly as accurate;
    its gaps are reported. Whether an image is known may differ where the score
    is within `tolerance` of what is known yet; of a quantised file it must be
    the same as often as the class. Of a file with `multi_label` that is all
    classes of a probability of at least 0.5, and no others.

    Args:
        answering: `keras.Model` from `answering_model`, which knows `detector`.
        opened: what `open_exported` returns.
        images: array of shape `(samples, height, width, 3)`, of the dtype that
            the model takes.
        labels: optional ints of shape `(samples,)`, or zeros and ones of shape
            `(samples, classes)`.
        detector: `AnomalyDetector` whose `known` counts; it takes `features`.
        batch_sizes: ints. The file is run once with each.
        tolerance: float. Largest absolute gap of a float32 file.
        min_agreement: float in 0..1. Share of the images of which a quantised
            file must name the model's class.
        max_accuracy_loss: float in 0..1.

    Returns:
        dict with `runtime`, `images` (their number), `batch_sizes`, `gaps`
        (the largest of each output), `agreement` (share of equal classes;
        `None` where neither class nor probabilities are exported),
        `known_agreement`, `flagged` and `keras_flagged` (share of images that
        are as known to the file, and shares that are not known to it and to
        the model; with a detector alone), `accuracy`
        and `keras_accuracy` (`None` without labels), `quantization`,
        `tolerance` and for a quantised file `min_agreement` and
        `max_accuracy_loss`.

    Raises:
        ProofError: if the file answers otherwise, naming the worst output.
    """
    expected = _in_batches(
        lambda batch: answering(batch, training=False), images, 32
    )
    known = detector and known_to(detector, expected.pop(FEATURES))
    given = [_in_batches(opened.answer, images, size) for size in batch_sizes]
    several = opened.metadata.multi_label
    results = [compare(expected, some, labels, several) for some in given]
    proof = {
        "runtime": opened.runtime,
        "images": len(images),
        "batch_sizes": list(batch_sizes),
        "quantization": opened.metadata.quantization,
        "tolerance": tolerance,
        **_worst(results),
    }
    if opened.metadata.quantization is None:
        _require_equal(proof, tolerance, results)
    else:
        proof["min_agreement"] = min_agreement
        proof["max_accuracy_loss"] = max_accuracy_loss
        _require_alike(proof)
    if "known" in expected:
        proof |= _prove_known(known or expected, given, opened.metadata, proof)
    return proof


def compare(
    expected: Answers,
    given: Answers,
    labels: np.ndarray | None = None,
    multi_label: bool = False,
) -> dict:
    """Compares answers to the same images.

    Args:
        expected: dict of arrays, the model's.
        given: dict of arrays, the file's.
        labels: as of `prove`.
        multi_label: bool. Whether an image may have several classes.

    Returns:
        dict with `gaps`, `agreement`, `accuracy` and `keras_accuracy`, as
        `prove` returns them, and `margin`: how far apart the two likeliest
        classes are at most where the class differs; `None` where it cannot be
        told.

    Raises:
        ProofError: if an output is missing or of another shape.
    """
    _require_same_shapes(expected, given)
    classes, given_classes = _classes(expected), _classes(given)
    same: Any = slice(None)
    if classes is not None:
        same = classes == given_classes
    gaps = {}
    for name, values in expected.items():
        rows = same if name in CLASS_OUTPUTS else slice(None)
        if name not in ("class_id", "known"):
            size = _size(values) if name in LOGIT_OUTPUTS else 1.0
            gaps[name] = _gap(values[rows], given[name][rows]) / size
    margin = _margin(expected, same)
    if multi_label and "probabilities" in expected:
        classes, given_classes = (
            answers["probabilities"] >= PRESENT for answers in (expected, given)
        )
    elif multi_label:  # The likeliest class alone.
        labels = None
    return {
        "gaps": gaps,
        "agreement": _share_equal(classes, given_classes),
        "margin": margin,
        "accuracy": _share_equal(given_classes, labels),
        "keras_accuracy": _share_equal(classes, labels),
    }


def _prove_known(expected, given, metadata, proof):
    """Returns what the proof says of `known`; raises where it is wrong."""
    known_up_to = metadata.detector["known_up_to"]
    found = worst_known(
        [compare_known(expected, some, known_up_to) for some in given]
    )
    whole = metadata.quantization is None
    fault = fault_of_known(
        found,
        proof["tolerance"] if whole else None,
        proof.get("min_agreement", 1.0),
    )
    if fault:
        raise ProofError(fault)
    del found["known_margin"]  # May be infinite, which JSON has no word for.
    return found


def _in_batches(answer, images, size):
    batches = [
        answer(images[start : start + size])
        for start in range(0, len(images), size)
    ]
    return {
        name: np.concatenate([np.asarray(batch[name]) for batch in batches])
        for name in batches[0]
    }


def _require_same_shapes(expected, given):
    shapes = {name: np.shape(values) for name, values in expected.items()}
    given_shapes = {name: np.shape(values) for name, values in given.items()}
    if given_shapes != shapes:
        raise ProofError(
            f"The file must answer with {shapes}. Received: {given_shapes}"
        )


def _classes(answers):
    if "class_id" in answers:
        return answers["class_id"]
    if "probabilities" in answers:
        return answers["probabilities"].argmax(axis=-1)
    return None


def _gap(values, given):
    """Returns the largest gap; infinite where something is no number."""
    if not values.size:
        return 0.0
    gap = np.abs(values.astype("float64") - given.astype("float64")).max()
    return float(gap) if np.isfinite(gap) else float("inf")


def _size(values):
    """Returns the largest absolute value, where it is above 1."""
    return max(1.0, float(np.abs(values).max(initial=0.0)))


def _margin(expected, same):
    """Returns how likely another class than the model's could at most be."""
    if "probabilities" not in expected:
        return None
    likeliest = np.sort(expected["probabilities"][~same], axis=-1)
    return float((likeliest[:, -1] - likeliest[:, -2]).max(initial=0.0))


def _share_equal(classes, labels):
    """Returns the share of the samples of which all is equal."""
    if labels is None or classes is None:
        return None
    equal = classes == np.asarray(labels).reshape(classes.shape)
    return float(np.mean(equal.reshape(len(equal), -1).all(axis=1)))


def _worst(results):
    """Joins the results of several batch sizes: the worst of each figure."""
    names = results[0]["gaps"]
    worst = {"gaps": {n: max(r["gaps"][n] for r in results) for n in names}}
    for key in ("agreement", "accuracy"):
        values = [result[key] for result in results]
        worst[key] = None if None in values else min(values)
    return worst | {"keras_accuracy": results[0]["keras_accuracy"]}


def _require_equal(proof, tolerance, results):
    name, gap = _largest_gap(proof)
    if not gap <= tolerance:
        raise ProofError(
            f"The exported file does not answer as the model does: {name} is "
            f"off by {gap:.3g}, and at most {tolerance:.3g} is allowed "
            "(`tolerance`)."
        )
    # Without probabilities it is unknown how close two classes are.
    margins = [
        float("inf") if result["margin"] is None else result["margin"]
        for result in results
        if result["agreement"] not in (None, 1)
    ]
    if max(margins, default=0.0) > tolerance:
        raise ProofError(
            "The exported file does not answer as the model does: class_id "
            "differs though the two likeliest classes are "
            f"{max(margins):.3g} apart."
        )


def _largest_gap(proof):
    """Returns the output that is off the most, and by how much."""
    gaps = proof["gaps"] or {"class_id": 0.0}
    return max(gaps.items(), key=lambda item: item[1])


def _require_alike(proof):
    """Raises if a quantised file names other classes too often."""
    agreement, least = proof["agreement"], proof["min_agreement"]
    if not all(np.isfinite(gap) for gap in proof["gaps"].values()):
        raise ProofError("The quantised file answers with what is no number.")
    if agreement is not None and agreement < least:
        name, gap = _largest_gap(proof)
        raise ProofError(
            f"The quantised file names the model's class of {agreement:.1%} "
            f"of the images, and at least {least:.1%} is required "
            f"(`min_agreement`); {name} is off by up to {gap:.3g}."
        )
    if proof["accuracy"] is None:
        return
    loss = proof["keras_accuracy"] - proof["accuracy"]
    if loss > proof["max_accuracy_loss"]:
        raise ProofError(
            f"The quantised file's accuracy is {proof['accuracy']:.4f}, the "
            f"model's {proof['keras_accuracy']:.4f}: it lost more than "
            f"{proof['max_accuracy_loss']} (`max_accuracy_loss`)."
        )
