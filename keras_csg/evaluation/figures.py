"""All figures of a classifier that its features allow, as flat dicts."""

import math

import numpy as np

from keras_csg.metrics import gates, path_accuracy
from keras_csg.metrics.correlation import filter_correlation
from keras_csg.metrics.mutual_information import mutual_information, specificity
from keras_csg.metrics.shuffled_gate import shuffled_gate


def network_figures(
    features, labels, kernel, bias, gate_matrix=None, *, n_jobs=1
):
    """Measures what needs no gate.

    Args:
        features: array of shape `(samples, filters)`, finite: the global
            averages of the maps.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        kernel: the head's kernel, of shape `(filters, classes)`.
        bias: the head's bias, of shape `(classes,)`.
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`: a
            filter's class is that of its largest entry. Without a gate it is
            that of the filter's largest weight in the head.
        n_jobs: int. Number of threads.

    Returns:
        A flat dict:

        - `examples`, `filters`: int.
        - `accuracy`: of the standard path.
        - `mis`, `specificity`: see `mutual_information_score`, `specificity`.
        - `own_class_mis`: mean over the filters of the information about
          their class, at most `mis`.
        - `class_agreement`: share of filters that know most of their class,
          and are not dead.
        - `dead_filters`: int, those with one value for all samples.
        - `same_class_correlation`, `cross_class_correlation`: mean absolute
          cosine between filters' weights in the head.
        - `same_class_activation_correlation`,
          `cross_class_activation_correlation`: the same between their
          activations over the samples.

        `None` stands for a figure that is not defined, such as the correlation
        of filters of one class where no class has two.

    Raises:
        ValueError: if an argument is not as described.
    """
    accuracy = path_accuracy.standard_accuracy(features, labels, kernel, bias)
    probabilities = _softmax(features @ kernel + bias)
    weights = kernel.T if gate_matrix is None else gate_matrix
    classes = gates.classes_of_filters(weights)
    dead = gates.dead_filters(features)
    information = mutual_information(
        features, labels, num_classes=len(bias), n_jobs=n_jobs
    )
    return _defined(
        {
            "examples": len(labels),
            "filters": len(kernel),
            "accuracy": accuracy,
            "mis": float(information.max(axis=0).mean()),
            "specificity": specificity(
                features, probabilities, labels, n_jobs=n_jobs
            ),
            **_agreement(information, classes, dead),
            "dead_filters": int(dead.sum()),
            **_correlations(features, kernel, classes),
        }
    )


def _agreement(information, classes, dead):
    """Compares the information `(classes, filters)` with filters' classes."""
    own = information[classes, np.arange(len(classes))]
    agrees = (own == information.max(axis=0)) & ~dead
    return {
        "own_class_mis": float(own.mean()),
        "class_agreement": float(agrees.mean()),
    }


def _correlations(features, kernel, classes):
    by_weights = filter_correlation(kernel, classes)
    by_activations = filter_correlation(np.transpose(features), classes)
    return {
        "same_class_correlation": by_weights.same_class,
        "cross_class_correlation": by_weights.cross_class,
        "same_class_activation_correlation": by_activations.same_class,
        "cross_class_activation_correlation": by_activations.cross_class,
    }


def gate_figures(
    features, labels, kernel, bias, gate_matrix, *, density=None, seed=0
):
    """Measures what the gate's filters know.

    Args:
        features: see `network_figures`.
        labels: see `network_figures`.
        kernel: see `network_figures`.
        bias: see `network_figures`.
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.
        density: float in `(0, 1]`, the gate's budget; `None` for
            `1 / classes`.
        seed: int. Seed of the shuffles.

    Returns:
        A flat dict:

        - `class_specific_accuracy`, `own_accuracy`, `complement_accuracy`,
          `gated_accuracy`: see the functions of these names.
        - `l1_density`, `l1_interval`: float, and a list of two.
        - `filters_per_class`: list of int.
        - `shared_filters`: int, those with several entries of at least 0.5.
        - `shuffled_class_specific_accuracy`, `shuffled_gated_accuracy`,
          `shuffled_row_accuracy`: see `shuffled_gate`.

    Raises:
        ValueError: if an argument is not as described.
    """
    arrays = (features, labels, kernel, bias, gate_matrix)
    accuracies = (
        path_accuracy.class_specific_accuracy,
        path_accuracy.own_accuracy,
        path_accuracy.complement_accuracy,
        path_accuracy.gated_accuracy,
    )
    shuffled = shuffled_gate(*arrays, seed=seed)
    return {
        **{function.__name__: function(*arrays) for function in accuracies},
        "l1_density": gates.l1_density(gate_matrix),
        "l1_interval": list(gates.l1_interval(len(gate_matrix), density)),
        "filters_per_class": gates.filters_per_class(gate_matrix).tolist(),
        "shared_filters": int(gates.shared_filters(gate_matrix).sum()),
        **{f"shuffled_{k}": v for k, v in shuffled._asdict().items()},
    }


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _defined(figures):
    """Replaces NaN, which JSON has no word for, by `None`."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in figures.items()
    }
