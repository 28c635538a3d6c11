"""One gated step against the paper's formulas in plain NumPy."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg import CSGClassifier
from tests.reference import gated_step

CLASSES, FILTERS, SAMPLES = 3, 5, 7


def linear_classifier(**kwargs):
    kwargs = {"lambda_4": 0.0, "lambda_5": 0.0, "lambda_6": 0.0, **kwargs}
    images = keras.Input((2, 2, 3))
    maps = keras.layers.Conv2D(FILTERS, 1, activation="relu")(images)
    return CSGClassifier(keras.Model(images, maps), CLASSES, **kwargs)


def parameters_of(model):
    conv = model.backbone.layers[-1]
    variables = [
        conv.kernel,
        conv.bias,
        model.head.kernel,
        model.head.bias,
        model.gate.gate_matrix,
    ]
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


CASES = {
    "joint": dict(lambda_1=1.0, lambda_2=0.0),
    "with sparsity": dict(lambda_1=0.7, lambda_2=0.05, density=0.4),
    "under the budget": dict(lambda_2=0.05, density=1.0),
    "class-specific head": dict(lambda_1=0.5, lambda_2=0.02, lambda_3=0.8),
}


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_gated_step_is_the_papers(case, soft):
    kwargs = {"density": 0.4, **CASES[case]}
    rng = np.random.default_rng(3)
    images = rng.normal(size=(SAMPLES, 2, 2, 3)).astype("float32")
    labels = rng.integers(0, CLASSES, SAMPLES)
    targets = np.eye(CLASSES)[labels]
    if soft:
        targets = 0.7 * targets + 0.3 * targets[::-1]
    weights = rng.uniform(0.5, 2, SAMPLES).astype("float32")
    model = linear_classifier(
        **{"lambda_3": 0.0, "filter_dropout": 0.0, **kwargs}
    )
    gate = rng.uniform(0.1, 1, (CLASSES, FILTERS))
    model.gate.gate_matrix.assign(gate / gate.max(axis=0))
    model.compile(keras.optimizers.SGD(0.1))
    before = parameters_of(model)

    expected_loss, gradients, expected = gated_step(
        images.astype("float64"), targets, weights, before, **kwargs
    )
    y = targets.astype("float32") if soft else labels
    logs = model.train_on_batch(images, y, weights, return_dict=True)

    assert_allclose(logs["total_loss"], expected_loss, rtol=1e-5)
    after = parameters_of(model)
    for was, now, gradient in zip(before[:-1], after, gradients, strict=False):
        moved = (was - now).reshape(gradient.shape) / 0.1
        assert_allclose(moved, gradient, rtol=1e-3, atol=1e-5)
    assert_allclose(after[-1], expected[-1], rtol=1e-5, atol=1e-6)
    assert np.abs(after[-1] - before[-1]).max() > 1e-4


@pytest.mark.filterwarnings("ignore:`train_on_batch` knows of no epochs")
def test_an_alternating_models_standard_step_is_the_papers():
    rng = np.random.default_rng(4)
    images = rng.normal(size=(SAMPLES, 2, 2, 3)).astype("float32")
    labels = rng.integers(0, CLASSES, SAMPLES)
    model = linear_classifier(
        lambda_2=0.05, lambda_3=0.0, schedule="alternating"
    )
    model.compile(keras.optimizers.SGD(0.1))
    before = parameters_of(model)

    _, gradients, expected = gated_step(
        images.astype("float64"),
        np.eye(CLASSES)[labels],
        np.ones(SAMPLES),
        before,
        gated_weight=0.0,
        lambda_2=0.05,
    )
    model.train_on_batch(images, labels)

    for now, reference in zip(parameters_of(model), expected, strict=True):
        now = now.reshape(reference.shape)
        assert_allclose(now, reference, rtol=1e-4, atol=1e-6)
