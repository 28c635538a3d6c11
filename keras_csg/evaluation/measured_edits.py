"""Classifiers before and after an edit, over a split."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_csg.data.splits.image_split import ImageSplit
from keras_csg.evaluation.edit_figures import edit_figures, left_samples
from keras_csg.evaluation.features import (
    FeatureExtractor,
    SplitFeatures,
    head_of,
)
from keras_csg.evaluation.telling_filters import telling_filters
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier


def measure_edit(
    model: CSGClassifier,
    edited: CSGClassifier,
    removed: Sequence[int],
    split: ImageSplit,
    batch_size: int = 128,
) -> tuple[dict[str, Any], SplitFeatures]:
    """Measures a classifier and what was made of it, each by its own pass.

    Args:
        model: `CSGClassifier` before.
        edited: `CSGClassifier` after.
        removed: numbers of the classes that it does not know any more.
        split: `ImageSplit` with all classes of before.
        batch_size: int.

    Returns:
        A tuple of what `edit_figures` returns, and `SplitFeatures` of `edited`
        on the images of the classes that are left.
    """
    before = FeatureExtractor(model)(split.batches(batch_size))
    after = FeatureExtractor(edited)(split.batches(batch_size))
    figures = edit_figures(
        class_names_of(model),
        before.labels,
        head_of(model).logits(before.features),
        head_of(edited).logits(after.features),
        removed,
    )
    left = np.setdiff1d(np.arange(model.num_classes), removed).astype(int)
    here, labels = left_samples(after.labels, left)
    return figures, SplitFeatures(after.features[here], labels)


def measure_without_telling(
    model: CSGClassifier,
    validation: ImageSplit,
    split: ImageSplit,
    classes: Sequence[int],
    count: int,
    batch_size: int = 128,
) -> dict[str, Any]:
    """Measures a classifier without the filters that tell some classes best.

    Args:
        model: `CSGClassifier`, such as one without a gate.
        validation: `ImageSplit` on which the filters are found.
        split: `ImageSplit` that is measured on.
        classes: numbers of the classes, whose logits are left out as well.
        count: int. How many filters; one stays in any case.
        batch_size: int.

    Returns:
        `removed_filters`, ascending, and what `edit_figures` returns.
    """
    extract = FeatureExtractor(model)
    seen = extract(validation.batches(batch_size))
    filters = telling_filters(
        seen.features,
        seen.labels,
        classes,
        min(count, model.filters - 1),
        num_classes=model.num_classes,
    )
    samples = extract(split.batches(batch_size))
    head = head_of(model)
    without = samples.features.copy()
    without[:, filters] = 0
    figures = edit_figures(
        class_names_of(model),
        samples.labels,
        head.logits(samples.features),
        np.delete(head.logits(without), classes, axis=1),
        classes,
    )
    return {"removed_filters": sorted(filters.tolist()), **figures}
