"""Figures of a trained classifier, from one pass over the data."""

import os
from typing import Any, NamedTuple

import numpy as np

import keras_csg.metrics as metrics
from keras_csg.choices import MIS_VARIANTS
from keras_csg.data.splits.image_split import ImageSplit
from keras_csg.evaluation.class_figures import told_figures
from keras_csg.evaluation.features import (
    FeatureExtractor,
    SplitFeatures,
    head_of,
)
from keras_csg.evaluation.filter_figures import (
    correlation_figures,
    density_figures,
    information_figures,
)
from keras_csg.evaluation.flat_figures import without_nan
from keras_csg.evaluation.multi_label import (
    multi_label_figures,
    multi_label_gate_figures,
)
from keras_csg.metrics.path_accuracy import probability_of, share_right
from keras_csg.models.classifier import CSGClassifier


class ClassificationResult(NamedTuple):
    """What was measured of a classifier on a split.

    Attributes:
        figures: flat dict of numbers and lists of numbers that JSON can hold.
        ablation: `Ablation`, the recalls behind some of the figures; `None`
            for a classifier without a gate.
        confusion: int array of shape `(classes, classes)`: images of the class
            of the row that were taken for that of the column; `None` where an
            image may have several.
    """

    figures: dict[str, Any]
    ablation: metrics.Ablation | None
    confusion: np.ndarray | None


def evaluate_classification(
    model: CSGClassifier,
    split: ImageSplit,
    batch_size: int = 128,
    *,
    mis_variant: str = "paper",
) -> ClassificationResult:
    """Measures a classifier on a split.

    Args:
        model: `CSGClassifier`.
        split: `ImageSplit`.
        batch_size: int.
        mis_variant: `"paper"`, or `"picnn"` for a second score, `mis_picnn`,
            over the sums of the maps before the last activation.

    Returns:
        `ClassificationResult`; see `measure`.

    Raises:
        ValueError: if the model's features are not finite, its backbone does
            not allow `mis_variant`, or there is no such variant.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
        - PICNN: [Guang et al., 2023](https://arxiv.org/abs/2312.12068)
    """
    return measure(
        model, collect_samples(model, split, batch_size, mis_variant)
    )


def collect_samples(
    model: CSGClassifier,
    split: ImageSplit,
    batch_size: int = 128,
    mis_variant: str = "paper",
) -> SplitFeatures:
    """Runs the backbone over a split, once.

    Args:
        model: see `evaluate_classification`, as for the others.
        split: see there.
        batch_size: see there.
        mis_variant: see there.

    Returns:
        The `SplitFeatures` that `measure` needs.

    Raises:
        ValueError: see there.
    """
    if mis_variant not in MIS_VARIANTS:
        raise ValueError(
            f"`mis_variant` must be one of {', '.join(MIS_VARIANTS)}. "
            f"Received: mis_variant={mis_variant!r}"
        )
    extract = FeatureExtractor(model, sums=mis_variant == "picnn")
    return extract(split.batches(batch_size))


def measure(
    model: CSGClassifier, samples: SplitFeatures
) -> ClassificationResult:
    """Measures a classifier on features that were collected before.

    Args:
        model: `CSGClassifier`.
        samples: `SplitFeatures`.

    Returns:
        `ClassificationResult`. Its figures are `network_figures` and
        `told_figures`, for a gated model also `gate_figures` and those of
        `Ablation`, and `mis_picnn` where the samples have sums. With
        `multi_label` they are `multi_label_figures`,
        `multi_label_gate_figures` and those of `MultiLabelAblation`.
    """
    if model.multi_label:
        return _measure_several(model, samples)
    features, labels, sums = samples
    head = head_of(model)
    cores = os.cpu_count() or 1
    told, confusion = told_figures(labels, head.logits(features))
    figures = network_figures(features, labels, head, n_jobs=cores) | told
    if sums is not None:
        figures["mis_picnn"] = metrics.mutual_information_score(
            sums, labels, num_classes=model.num_classes, n_jobs=cores
        )
    if not model.gated:
        return ClassificationResult(figures, None, confusion)
    figures |= gate_figures(features, labels, head, density=model.gate.density)
    recalls = metrics.ablation(features, labels, head)
    figures |= without_nan(recalls.figures())
    return ClassificationResult(figures, recalls, confusion)


def _measure_several(model, samples):
    """Measures a classifier whose images may have several classes."""
    features, labels, sums = samples
    head = head_of(model)
    cores = os.cpu_count() or 1
    figures = multi_label_figures(features, labels, head, n_jobs=cores)
    if sums is not None:
        figures["mis_picnn"] = metrics.mutual_information_score(
            sums, labels, n_jobs=cores
        )
    if not model.gated:
        return ClassificationResult(figures, None, None)
    figures |= multi_label_gate_figures(
        features, labels, head, density=model.gate.density
    )
    ablation = metrics.multi_label_ablation(features, labels, head)
    figures |= without_nan(ablation.figures())
    return ClassificationResult(figures, ablation.recalls, None)


def network_figures(
    features: np.ndarray,
    labels: np.ndarray,
    head: metrics.Head,
    *,
    n_jobs: int = 1,
) -> dict[str, Any]:
    """Measures what needs no gate.

    Args:
        features: array of shape `(samples, filters)`, finite: the global
            averages of the maps.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        head: `Head`; its `classes_of_filters` are the filters' classes.
        n_jobs: int. Number of threads.

    Returns:
        A flat dict; in brackets what an untrained ResNet-20 has on the digits,
        of ten classes, and a network in which every filter tells one class
        without fail and is silent elsewhere:

        - `examples`, `filters`: int.
        - `accuracy`: of the standard path (0.10, which is chance; 1).
        - `mis`: see `mutual_information_score`; 0 by chance (0.13; the entropy
          of a class against the rest, 0.33 nats for a tenth).
        - `own_class_mis`: mean over the filters of the information about
          their class, at most `mis` (0.03; the same).
        - `specificity`: that as a share of all there is to know; see
          `specificity`; 0 by chance (0.09; 1).
        - `class_agreement`: share of filters that know most of their class,
          and are not dead; `1 / classes` by chance (0.08; 1).
        - `residual_information`, `probe_auc`: see `residual_information`:
          what a linear probe tells of two classes without the filters of both,
          and with all of them; 0.5 by chance (0.99, 0.99; 0.5, 1).
        - `probe_pairs`: int, how many pairs of classes that was asked of.
        - `dead_filters`: int, those with one value for all samples (0; 0).
        - `same_class_correlation`, `cross_class_correlation`: mean absolute
          cosine between filters' weights in the head; chance is about
          `1 / sqrt(classes)` (0.30, 0.27; 1, low).
        - `same_class_activation_correlation`,
          `cross_class_activation_correlation`: the same between their
          activations over the samples, none of which is negative behind a
          ReLU (0.98, 0.98; 1, 0).

        `None` stands for a figure that is not defined, such as the correlation
        of filters of one class where no class has two.

    Raises:
        ValueError: if an argument is not as described.
    """
    features, labels = metrics.check_samples(features, labels, head)
    classes = head.classes_of_filters()
    dead = metrics.dead_filters(features)
    information = metrics.mutual_information(
        features, labels, num_classes=head.num_classes, n_jobs=n_jobs
    )
    probe = metrics.residual_information(features, labels, classes)
    return without_nan(
        {
            "examples": len(labels),
            "filters": head.filters,
            "accuracy": share_right(labels, head.logits(features)),
            **information_figures(information, classes, dead),
            "specificity": metrics.specificity(information, labels, classes),
            "residual_information": probe.residual,
            "probe_auc": probe.all_filters,
            "probe_pairs": probe.pairs,
            "dead_filters": int(dead.sum()),
            **correlation_figures(features, head.kernel, classes),
        }
    )


def gate_figures(
    features: np.ndarray,
    labels: np.ndarray,
    head: metrics.Head,
    *,
    density: float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Measures what the gate's filters know.

    Args:
        features: see `network_figures`.
        labels: see `network_figures`.
        head: `Head` with a gate.
        density: float in `(0, 1]`, the gate's budget; `None` for
            `1 / classes`.
        seed: int. Seed of the shuffles.

    Returns:
        A flat dict; in brackets what an untrained network of ten classes has,
        whose gate is open, and a perfect one:

        - `class_specific_accuracy`, `own_accuracy`, `complement_accuracy`,
          `complement_probability`, `gated_accuracy`: see the functions of
          these names (0.10, which is chance, all of them; 1, 1, 0, 0, 1).
          `predicted_complement_accuracy` takes away the filters of the class
          that is predicted (0.10; 0).
        - `l1_density`, `l1_interval`: float, and a list of the least and the
          largest that its budget allows (1; the least).
        - `filters_per_class`: list of int (all filters; a share each).
        - `shared_filters`: int, those with several entries of at least 0.5
          (all; 0).
        - `shuffled_class_specific_accuracy`, `shuffled_gated_accuracy`,
          `shuffled_row_accuracy`: see `shuffled_gate` (0.10 each; chance, too:
          what is silent says nothing through another class's row).

    Raises:
        ValueError: if an argument is not as described.
    """
    features, labels = metrics.check_samples(features, labels, head)
    predicted = head.predicted(features)
    without_own = head.complement_logits(features, labels)
    logits_of_paths = {
        "class_specific": head.class_specific_logits(features),
        "own": head.gated_logits(features, predicted),
        "complement": without_own,
        "predicted_complement": head.complement_logits(features, predicted),
        "gated": head.gated_logits(features, labels),
    }
    gate_matrix = head.require_gate()
    shuffled = metrics.shuffled_gate(features, labels, head, seed=seed)
    return {
        **{
            f"{path}_accuracy": share_right(labels, logits)
            for path, logits in logits_of_paths.items()
        },
        "complement_probability": probability_of(labels, without_own),
        **density_figures(gate_matrix, density),
        **{f"shuffled_{k}": v for k, v in shuffled._asdict().items()},
    }
