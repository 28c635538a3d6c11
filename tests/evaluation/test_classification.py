import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGClassifier, metrics
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader
from keras_csg.evaluation import classification as evaluation
from keras_csg.evaluation.features import FeatureExtractor
from keras_csg.training.callbacks import GateFreeMetrics, RunBackup
from keras_csg.training.history import History
from tests.tiny import (
    CLASSES,
    FILTERS,
    tiny_backbone,
    tiny_classifier,
    tiny_data,
)


@pytest.fixture
def split():
    images, labels = tiny_data()
    reader = cached_reader(images.astype("uint8"))
    return IndexedSplit(
        reader, labels, np.arange(70), CLASSES, (8, 8, 3), cached=True
    )


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
    found = evaluation.evaluate(model, split, batch_size=32)
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
    found = evaluation.evaluate(model, split, batch_size=32)
    assert calls == [32]
    whole = evaluation.evaluate(model, split, batch_size=70)
    assert found.keys() == whole.keys()
    for name, value in found.items():
        assert_allclose(value, whole[name], rtol=1e-4, err_msg=name)


def test_a_standard_network_has_the_figures_without_a_gate(split, tmp_path):
    path = tmp_path / "ablation.png"
    found = evaluation.evaluate(
        tiny_classifier(gated=False), split, ablation_path=path
    )
    assert set(found) == {
        "examples",
        "filters",
        "accuracy",
        "mis",
        "specificity",
        "own_class_mis",
        "class_agreement",
        "dead_filters",
        "same_class_correlation",
        "cross_class_correlation",
        "same_class_activation_correlation",
        "cross_class_activation_correlation",
    }
    assert not path.exists()


def test_the_ablation_is_drawn(model, split, tmp_path):
    path = tmp_path / "ablation.png"
    evaluation.evaluate(model, split, ablation_path=path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]


def test_picnn_sums_the_maps_before_the_activation(model, split):
    images, labels = split.images_and_labels()
    found = evaluation.evaluate(model, split, 32, mis_variant="picnn")
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
        evaluation.evaluate(model, split, mis_variant="picnn")
    assert "mis" in evaluation.evaluate(model, split)


def test_an_unknown_variant_is_refused(model, split):
    with pytest.raises(ValueError, match="paper, picnn.*mis_variant='sum'"):
        evaluation.evaluate(model, split, mis_variant="sum")


def test_a_broken_network_is_named(model, split):
    kernel = model.backbone.get_layer("conv").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(ValueError, match="finite.*420 values NaN"):
        evaluation.evaluate(model, split)


def test_no_images_are_refused(model):
    with pytest.raises(ValueError, match="Received: no batch"):
        evaluation.collect_features(model, [])


def test_mixed_precision_gives_float32_features(split):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = tiny_classifier()
    features, labels = evaluation.collect_features(model, split.batches(32))
    assert features.dtype == "float32"
    assert_array_equal(labels, split.images_and_labels()[1])


def test_the_gate_free_score_goes_to_logs_and_history(tmp_path, split):
    model = tiny_classifier()
    model.compile("sgd")
    history = History(tmp_path / "history.csv")
    logged = model.fit(
        *tiny_data(),
        epochs=3,
        callbacks=[
            GateFreeMetrics(split.batches(32), every=2),
            RunBackup(tmp_path / "backup", history),
        ],
        verbose=0,
    ).history
    features, labels = evaluation.collect_features(model, split.batches(32))
    score = metrics.mutual_information_score(features, labels)
    assert logged["val_mis"][-1] == pytest.approx(score)
    scores = history.column("val_mis")
    assert scores[::2] == logged["val_mis"] and np.isnan(scores[1])
    images, labels = split.images_and_labels()
    logits = np.array(model(images))
    assert logged["val_accuracy"][-1] == metrics.accuracy(logits, labels)


def test_the_accuracy_that_fit_measured_stays(split):
    model = tiny_classifier(gated=False)
    model.compile("sgd")
    images, labels = tiny_data()
    logged = model.fit(
        images,
        labels,
        validation_data=(images[:8], labels[:8]),
        callbacks=[GateFreeMetrics(split.batches(70))],
        verbose=0,
    ).history
    of_eight = model.evaluate(images[:8], labels[:8], verbose=0)[1]
    assert logged["val_accuracy"] == [pytest.approx(of_eight)]
    assert len(logged["val_mis"]) == 1


def test_a_measurement_every_zero_epochs_is_refused():
    with pytest.raises(ValueError, match="at least 1.*every=0"):
        GateFreeMetrics([], every=0)
