"""How each class is told before an edit and after it, beside each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_csg.evaluation.flat_figures import with_none
from keras_csg.metrics.average_precision import THRESHOLD


def recall_by_class(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Returns each class's recall, NaN where it has no images.

    Args:
        labels: ints of shape `(samples,)`, negative for classes that the
            logits do not have; or zeros and ones `(samples, classes)`.
        logits: array of shape `(samples, classes)`. Of one class an image the
            largest counts, of several those of a probability of 0.5.

    Returns:
        array of shape `(classes,)`.
    """
    classes = logits.shape[1]
    if labels.ndim == 2:
        images = labels.sum(axis=0)
        right = ((logits >= THRESHOLD) & (labels > 0)).sum(axis=0)
    else:
        there = labels >= 0
        labels, predicted = labels[there], logits[there].argmax(axis=1)
        images = np.bincount(labels, minlength=classes)
        right = np.bincount(labels[labels == predicted], minlength=classes)
    return np.divide(right, images, where=images > 0, out=_nan(classes))


def _nan(size):
    return np.full(size, np.nan)


def masked(logits: np.ndarray, removed: Sequence[int]) -> np.ndarray:
    """Returns logits in which some classes are never the largest.

    Args:
        logits: array of shape `(samples, classes)`.
        removed: numbers of those classes.
    """
    changed = logits.copy()
    changed[:, list(removed)] = -np.inf
    return changed


def edit_figures(
    class_names: Sequence[str],
    labels: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    removed: Sequence[int] = (),
) -> dict[str, Any]:
    """Puts the recalls before and after an edit beside each other.

    Args:
        class_names: of the network before.
        labels: of all images, by the numbers of before; see
            `recall_by_class`.
        before: array of shape `(samples, classes)`: the logits before.
        after: array of shape `(samples, classes left)`: those after.
        removed: numbers of the classes that were removed.

    Returns:
        A dict:

        - `classes`: list of dicts, of each class of before: `class`, its name;
          `images`; `before`, its recall; `before_masked`, that with the
          removed classes' logits left out, so that the one network has no more
          wrong answers to choose from than the other; `after`. `None` where a
          class is gone, or has no images.
        - `mean_before`, `mean_before_masked`, `mean_after`: over the classes
          that are left.
        - `largest_drop`: dict of `class` and `drop`, the recall lost from
          `before_masked` to `after`; below 0 where every class gained.
    """
    left = np.setdiff1d(np.arange(len(class_names)), removed).astype(int)
    images = labels.sum(axis=0) if labels.ndim == 2 else _counts(labels, before)
    recalls = {
        "before": recall_by_class(labels, before),
        "before_masked": _nan(len(class_names)),
        "after": _nan(len(class_names)),
    }
    kept = recall_by_class(labels, masked(before, removed))
    recalls["before_masked"][left] = kept[left]
    recalls["after"][left] = recall_by_class(_renumbered(labels, left), after)
    columns = {name: with_none(values) for name, values in recalls.items()}
    rows = [
        {
            "class": name,
            "images": int(images[number]),
            **{key: values[number] for key, values in columns.items()},
        }
        for number, name in enumerate(class_names)
    ]
    drops = recalls["before_masked"][left] - recalls["after"][left]
    worst = int(np.nanargmax(drops)) if np.isfinite(drops).any() else 0
    return {
        "classes": rows,
        **{
            f"mean_{key}": _mean(values[left])
            for key, values in recalls.items()
        },
        "largest_drop": {
            "class": class_names[left[worst]],
            "drop": with_none(drops[worst : worst + 1])[0],
        },
    }


def _counts(labels, logits):
    return np.bincount(labels, minlength=logits.shape[1])


def _mean(values):
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _renumbered(labels, left):
    """Returns labels by the numbers of the classes that are left."""
    if labels.ndim == 2:
        return labels[:, left]
    number_of = np.full(max(labels.max(), left.max()) + 1, -1)
    number_of[left] = np.arange(len(left))
    return number_of[labels]


def left_samples(
    labels: np.ndarray, left: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns which samples are of the classes left, and their new labels.

    Args:
        labels: ints of shape `(samples,)`, or zeros and ones.
        left: numbers of the classes, ascending.

    Returns:
        A tuple of a bool array of shape `(samples,)`, and the labels of those.
    """
    new = _renumbered(labels, np.asarray(left))
    here = np.ones(len(new), bool) if new.ndim == 2 else new >= 0
    return here, new[here]
