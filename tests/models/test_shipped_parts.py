"""`build` with weights that come with the package."""

import keras
import numpy as np
import pytest

import keras_csg
from tests.shipped import shipped_tiny

DIGITS = list("0123456789")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped")
    with shipped_tiny(folder, small=True, plain=False) as runs:
        yield runs


@pytest.fixture(scope="module")
def trained(runs):
    return runs["small"].load_model()


def images():
    return keras.random.uniform((5, 8, 8, 3), 0, 255, seed=1)


def build(num_classes=10, weights="small", **kwargs):
    return keras_csg.build(
        "tiny", num_classes, weights=weights, input_shape=(8, 8, 3), **kwargs
    )


def test_the_same_classes_give_the_trained_classifier(trained):
    model = build()
    for part in ("head", "gate", "gate_budget"):
        own, there = (getattr(m, part).get_weights() for m in (model, trained))
        assert own and len(own) == len(there)
        for array, other in zip(own, there, strict=True):
            np.testing.assert_array_equal(array, other)
    np.testing.assert_array_equal(model(images()), trained(images()))
    assert model.class_names == DIGITS
    report = model.backbone_weights
    assert (report.parts, report.unused) == (("head", "gate"), ())
    assert report.path is None
    assert "; head and gate too" in str(report)


def test_its_gate_rests_when_it_is_trained_further(trained):
    model = build()
    gate = keras.ops.convert_to_numpy(model.gate.gate_matrix)
    model.compile("adam")
    model.fit(images(), np.arange(5), epochs=2, verbose=0)
    np.testing.assert_array_equal(model.gate.gate_matrix, gate)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"num_classes": 4},
        {"class_names": [f"class {name}" for name in DIGITS]},
        {"filters": 12},
    ],
)
def test_other_classes_or_filters_give_the_backbone_alone(trained, kwargs):
    model = build(**kwargs)
    report = model.backbone_weights
    assert report.parts == ()
    assert {"head", "gate"} <= set(report.unused)
    assert keras.ops.min(model.gate.gate_matrix) == 1
    assert not np.allclose(
        np.asarray(model.head.kernel)[0, 0],
        np.asarray(trained.head.kernel)[0, 0],
    )


def test_a_standard_network_may_be_made_of_a_gated_one(trained):
    model = build(gated=False)
    assert model.gate is None
    assert model.backbone_weights.parts == ("head",)
    np.testing.assert_array_equal(model(images()), trained(images()))


def test_a_gate_that_closes_by_a_penalty_is_not_one_by_a_budget(trained):
    model = build(lambda_2=0.1)
    assert model.backbone_weights.parts == ("head",)
    assert keras.ops.min(model.gate.gate_matrix) == 1


def test_another_backbone_is_refused(trained):
    with pytest.raises(ValueError, match="'small' are those of 'tiny'"):
        keras_csg.build("resnet20", 10, weights="small")


def test_what_was_trained_without_a_gate_is_built_without_one(runs):
    model = build(weights="plain")
    assert not model.gated
    standard = runs["plain"].load_model()
    np.testing.assert_array_equal(model(images()), standard(images()))
    gated = build(weights="plain", gated=True)
    assert gated.backbone_weights.parts == ("head",)
