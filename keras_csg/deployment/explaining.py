from typing import Any

import numpy as np

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.explain import Evidence, Explanation
from keras_csg.explain.explaining import FILTERS
from keras_csg.explain.seen_images import pictures_of

NEEDED = ("probabilities", "class_id", "filter_contributions")
NO_OTHERS = (
    "An exported file answers for the predicted class alone: no other class, "
    "and no filter's own map, can be shown."
)
NO_HEATMAP = "It was exported without `heatmap`."
SHARES = "It is of version 0.1.0: what filters add is in shares of the sum."
BATCH_SIZE = 64


def explain_answers(
    exported: ExportedAnswers, images: Any, *, filters: int = FILTERS
) -> Explanation:
    """Explains what an exported model answers, as far as it does.

    Args:
        exported: what `keras_csg.open_exported` returns.
        images: see `keras_csg.explain.explain`.
        filters: int. Number of filters to look at, those that add most.

    Returns:
        `Explanation` of the predicted class; its `limits` say what is missing.

    Raises:
        ValueError: if it was exported without outputs that this needs, or an
            image cannot be read.
    """
    metadata = exported.metadata
    missing = [name for name in NEEDED if name not in metadata.outputs]
    if missing:
        raise ValueError(
            f"The exported model lacks {' and '.join(missing)}, which an "
            "explanation needs: export it with more `outputs`. Received: "
            f"outputs={','.join(metadata.outputs)}"
        )
    size = tuple(metadata.input["shape"][1:3])
    pictures, pixels = pictures_of(images, size, metadata.reading)
    answers = _answers(exported, pixels.astype(metadata.input["dtype"]))
    specific = answers.get("class_specific_probabilities")
    limits = [NO_OTHERS]
    if "heatmap" not in answers:
        limits.append(NO_HEATMAP)
    if "resize" not in metadata.input:  # As in files of 0.1.0.
        limits.append(SHARES)
    return Explanation(
        pictures,
        metadata.class_names,
        dict(metadata.filter_names),
        answers["probabilities"],
        specific,
        metadata.gate_matrix,
        _array(metadata.filter_classes),
        _evidence(answers, filters),
        multi_label=metadata.multi_label,
        standard_logits=False,
        limits=limits,
    )


def _answers(exported, pixels):
    parts = [
        exported.answer(pixels[start : start + BATCH_SIZE])
        for start in range(0, len(pixels), BATCH_SIZE)
    ]
    return {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }


def _array(values):
    return None if values is None else np.array(values)


def _evidence(answers, filters):
    parts = answers["filter_contributions"]
    order = np.argsort(-np.abs(parts), axis=1, kind="stable")
    return Evidence(
        answers["class_id"],
        parts.sum(axis=1),
        None,
        parts,
        order[:, :filters],
        heatmap=answers.get("heatmap"),
    )
