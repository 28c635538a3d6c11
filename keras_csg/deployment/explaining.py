from typing import Any

import numpy as np

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.image_batches import takes_any_size
from keras_csg.explain import Evidence, Explanation
from keras_csg.explain.explaining import FILTERS
from keras_csg.explain.seen_images import pictures_of_any_size

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
    pictures, pixels = pictures_of_any_size(images, size, metadata.reading)
    answers = _answers(exported, pixels)
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
    metadata = exported.metadata
    # Those of a model that takes any size are not of one.
    many = 1 if takes_any_size(metadata) else BATCH_SIZE
    parts = [
        exported.answer(
            np.stack(pixels[start : start + many]).astype(
                metadata.input["dtype"]
            )
        )
        for start in range(0, len(pixels), many)
    ]
    answers = {
        name: _joined([part[name] for part in parts]) for name in parts[0]
    }
    if not np.isfinite(answers["probabilities"]).all():
        raise ValueError(
            "The exported model's probabilities are no numbers (NaN): its "
            "weights are damaged, or its training diverged."
        )
    return answers


def _joined(parts):
    """Returns one array, or a list where the images' differ in shape."""
    if len({part.shape[1:] for part in parts}) > 1:
        return [values for part in parts for values in part]
    return np.concatenate(parts)


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
