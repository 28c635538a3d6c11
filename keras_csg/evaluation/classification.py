"""Figures of a trained classifier, from one pass over the data."""

import os

from keras import ops

from keras_csg import metrics
from keras_csg.evaluation.features import FeatureExtractor
from keras_csg.evaluation.figures import gate_figures, network_figures
from keras_csg.plots import runs as plots

MIS_VARIANTS = ("paper", "picnn")


def collect_features(model, batches):
    """Runs the backbone once over the data.

    Args:
        model: `CSGClassifier`.
        batches: iterable of image batches `(batch, height, width, 3)` and
            their labels `(batch,)`.

    Returns:
        A tuple of features `(samples, filters)`, float32, and labels
        `(samples,)`, int32.
    """
    return FeatureExtractor(model)(batches)[:2]


def evaluate(
    model, split, batch_size=128, *, mis_variant="paper", ablation_path=None
):
    """Measures a classifier on a split.

    Args:
        model: `CSGClassifier`.
        split: `ImageSplit`.
        batch_size: int.
        mis_variant: `"paper"`, or `"picnn"` for a second score, `mis_picnn`,
            over the sums of the maps before the last activation.
        ablation_path: see `measure`.

    Returns:
        A flat dict; see `measure`.

    Raises:
        ValueError: if the model's features are not finite, its backbone does
            not allow `mis_variant`, or there is no such variant.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
        - PICNN: [Guang et al., 2023](https://arxiv.org/abs/2312.12068)
    """
    samples = collect_samples(model, split, batch_size, mis_variant)
    return measure(model, samples, ablation_path)


def collect_samples(model, split, batch_size=128, mis_variant="paper"):
    """Returns the `SplitFeatures` that `measure` needs; see `evaluate`."""
    if mis_variant not in MIS_VARIANTS:
        raise ValueError(
            f"`mis_variant` must be one of {', '.join(MIS_VARIANTS)}. "
            f"Received: mis_variant={mis_variant!r}"
        )
    extract = FeatureExtractor(model, sums=mis_variant == "picnn")
    return extract(split.batches(batch_size))


def measure(model, samples, ablation_path=None):
    """Measures a classifier on features that were collected before.

    Args:
        model: `CSGClassifier`.
        samples: `SplitFeatures`.
        ablation_path: `pathlib.Path` of a PNG file for a picture of the
            recalls without each class's filters, and with them alone; of a
            gated model only.

    Returns:
        A flat dict of numbers and lists of numbers that JSON can hold:
        `network_figures`, for a gated model also `gate_figures` and those of
        `Ablation`, and `mis_picnn` where the samples have sums.
    """
    features, labels, sums = samples
    arrays = (features, labels, *_weights(model))
    cores = os.cpu_count() or 1
    results = network_figures(*arrays, n_jobs=cores)
    if sums is not None:
        results["mis_picnn"] = metrics.mutual_information_score(
            sums, labels, num_classes=model.num_classes, n_jobs=cores
        )
    if not model.gated:
        return results
    results |= gate_figures(*arrays, density=model.gate.density)
    recalls = metrics.ablation(*arrays)
    if ablation_path is not None:
        plots.save_ablation(recalls, model.class_names, ablation_path)
    return results | recalls.figures()


def save_ablation_confusion(model, samples, label, path):
    """Draws the confusion without, and with only, the filters of a class.

    Args:
        model: gated `CSGClassifier`.
        samples: `SplitFeatures`.
        label: int. The class.
        path: `pathlib.Path` of the PNG file.
    """
    features, labels, _ = samples
    matrices = metrics.ablation_confusion(
        features, labels, *_weights(model), label
    )
    plots.save_ablation_confusion(matrices, model.class_names, label, path)


def _weights(model):
    """Returns the head's kernel and bias and, if there is one, the gate."""
    weights = [*model.head.weights]
    if model.gated:
        weights.append(model.gate.gate_matrix)
    return [ops.convert_to_numpy(weight) for weight in weights]
