import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGClassifier, metrics
from keras_csg.choices import MIS_VARIANTS
from keras_csg.evaluation import (
    FeatureExtractor,
    collect_samples,
    evaluate_classification,
    head_of,
)
from tests.tiny import (
    CLASSES,
    FILTERS,
    tiny_backbone,
    tiny_classifier,
    tiny_split,
)


@pytest.fixture
def split():
    return tiny_split()


@pytest.fixture
def model():
    """A gated network whose filters have a class each, some two."""
    model = tiny_classifier(density=0.5)
    gate = np.eye(CLASSES, FILTERS)
    gate[[0, 1, 2], [4, 5, 5]] = 1
    model.gate.gate_matrix.assign(gate)
    return model


def test_accuracies_are_the_models_own(model, split):
    images, labels = split.images_and_labels()
    found = evaluate_classification(model, split, batch_size=32).figures
    model.compile("sgd")
    evaluated = model.evaluate(images, labels, verbose=0, return_dict=True)
    for name in ("accuracy", "class_specific_accuracy", "l1_density"):
        assert found[name] == pytest.approx(evaluated[name]), name
    gated = np.array(model(images, labels)).argmax(axis=1)
    assert found["gated_accuracy"] == pytest.approx((gated == labels).mean())
    assert found["examples"] == 70
    assert found["filters_per_class"] == [2, 2, 2, 1]
    assert found["shared_filters"] == 1
    assert found["l1_interval"] == [0.25, 0.5]
    json.dumps(found, allow_nan=False)


def test_features_are_collected_once_whatever_the_batches(model, split):
    calls = []
    batches = split.batches
    split.batches = lambda size: calls.append(size) or batches(size)
    found = evaluate_classification(model, split, batch_size=32).figures
    assert calls == [32]
    whole = evaluate_classification(model, split, batch_size=70).figures
    assert found.keys() == whole.keys()
    for name, value in found.items():
        if None in np.ravel(value):  # Of a class that is never named.
            assert value == whole[name]
        else:
            assert_allclose(value, whole[name], rtol=1e-4, err_msg=name)


def test_a_standard_network_has_the_figures_without_a_gate(split):
    found, ablation, _ = evaluate_classification(
        tiny_classifier(gated=False), split
    )
    assert ablation is None
    assert set(found) == {
        "examples",
        "filters",
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "class_precision",
        "class_recall",
        "class_f1",
        "class_support",
        "confusion_matrix",
        "ece",
        "brier",
        "mis",
        "specificity",
        "own_class_mis",
        "class_agreement",
        "residual_information",
        "probe_auc",
        "probe_pairs",
        "dead_filters",
        "same_class_correlation",
        "cross_class_correlation",
        "same_class_activation_correlation",
        "cross_class_activation_correlation",
    }


def test_the_ablation_comes_with_the_figures(model, split):
    found, ablation, _ = evaluate_classification(model, split)
    features, labels, _ = collect_samples(model, split)
    expected = metrics.ablation(features, labels, head_of(model))
    for recalls, others in zip(ablation, expected, strict=True):
        assert_array_equal(recalls, others)
    assert ablation.figures().items() <= found.items()


@pytest.mark.parametrize("gated", [True, False])
def test_the_head_of_a_model_has_its_weights(gated):
    model = tiny_classifier(gated=gated)
    head = head_of(model)
    assert_array_equal(head.kernel, model.head.kernel)
    assert_array_equal(head.bias, model.head.bias)
    if gated:
        assert_array_equal(head.gate_matrix, model.gate.gate_matrix)
    else:
        assert head.gate_matrix is None
    features = np.ones((3, FILTERS), "float32")
    assert_allclose(head.logits(features), model.head(features), rtol=1e-5)


def test_picnn_sums_the_maps_before_the_activation(model, split):
    images, labels = split.images_and_labels()
    found, *_ = evaluate_classification(model, split, 32, mis_variant="picnn")
    before = keras.Model(
        model.backbone.input, model.backbone.get_layer("relu").input
    )
    sums = np.array(before(images)).sum(axis=(1, 2))
    assert sums.min() < 0
    features, _, ours = FeatureExtractor(model, sums=True)(split.batches(32))
    assert_allclose(ours, sums, rtol=1e-4, atol=1e-3)
    assert found["mis_picnn"] == pytest.approx(
        metrics.mutual_information_score(sums, labels), rel=1e-3
    )
    assert found["mis"] == pytest.approx(
        metrics.mutual_information_score(features, labels), rel=1e-3
    )


def test_picnn_needs_an_activation_at_the_end(split):
    backbone = tiny_backbone()
    cut = keras.Model(backbone.input, backbone.get_layer("conv").output)
    model = CSGClassifier(cut, CLASSES)
    with pytest.raises(ValueError, match="ends with 'conv' of type Conv2D"):
        evaluate_classification(model, split, mis_variant="picnn")
    assert "mis" in evaluate_classification(model, split).figures


def test_an_unknown_variant_is_refused(model, split):
    with pytest.raises(ValueError, match="paper, picnn.*mis_variant='sum'"):
        evaluate_classification(model, split, mis_variant="sum")


def test_every_variant_on_offer_is_taken(model, split):
    for variant in MIS_VARIANTS:
        samples = collect_samples(model, split, mis_variant=variant)
        assert (samples.sums is not None) == (variant == "picnn")


def test_a_broken_network_is_named(model, split):
    kernel = model.backbone.get_layer("conv").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(ValueError, match="finite.*420 values NaN"):
        evaluate_classification(model, split)


def test_a_broken_head_is_named(model, split):
    model.head.kernel.assign(np.full(model.head.kernel.shape, np.inf))
    with pytest.raises(ValueError, match="`kernel` must be finite.*24 values"):
        evaluate_classification(model, split)


def test_no_images_are_refused(model):
    with pytest.raises(ValueError, match="Received: no batch"):
        FeatureExtractor(model)([])


def test_mixed_precision_gives_float32_features(split):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = tiny_classifier()
    features, labels, _ = collect_samples(model, split, 32)
    assert features.dtype == "float32"
    assert_array_equal(labels, split.images_and_labels()[1])
