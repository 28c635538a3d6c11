import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGGate, GateSparsity, UnitMaxGate

GATE = [[1.0, 0.5, 0.0], [0.0, 0.25, 1.0]]


def gate_with(matrix=GATE, **kwargs):
    layer = CSGGate(len(matrix), **kwargs)
    layer.build((None, len(matrix[0])))
    layer.gate_matrix.assign(matrix)
    return layer


def test_label_selects_its_row_of_the_gate_matrix():
    features = np.full((2, 1, 1, 3), 4.0, "float32")
    gated = gate_with()(features, np.array([1, 0]))
    assert_allclose(gated[:, 0, 0, :], [[0.0, 1.0, 4.0], [4.0, 2.0, 0.0]])


def test_averaged_features_are_gated_like_their_maps():
    maps = np.random.default_rng(0).normal(size=(4, 5, 6, 3)).astype("float32")
    labels = np.array([0, 1, 1, 0])
    layer = gate_with()
    of_maps = np.mean(layer(maps, labels), axis=(1, 2))
    assert_allclose(of_maps, layer(maps.mean(axis=(1, 2)), labels), atol=1e-6)


def test_without_labels_the_features_come_back():
    features = np.ones((2, 3), "float32")
    assert_array_equal(gate_with()(features), features)


def test_soft_labels_mix_the_rows():
    gated = gate_with()(np.ones((1, 3), "float32"), np.array([[0.25, 0.75]]))
    assert_allclose(gated, [[0.25, 0.3125, 0.75]])


def test_labels_may_be_a_column():
    features = np.ones((2, 3), "float32")
    gated = gate_with()(features, np.array([[1], [0]]))
    assert_allclose(gated, [GATE[1], GATE[0]])


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 1)])
def test_labels_of_another_shape_are_named(shape):
    with pytest.raises(ValueError, match=r"labels.shape=\(2, "):
        gate_with()(np.ones((2, 3), "float32"), np.ones(shape))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="num_classes=1"):
        CSGGate(1)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_the_gate_stays_float32_under_mixed_precision(policy):
    layer = CSGGate(2, dtype=policy)
    gated = layer(np.ones((2, 3), "float32"), np.array([0, 1]))
    assert layer.gate_matrix.dtype == "float32"
    assert keras.backend.standardize_dtype(gated.dtype) == policy[6:]


def test_it_starts_open_with_one_weight_per_class_and_filter():
    layer = CSGGate(5)
    layer.build((None, 7, 7, 11))
    assert layer.count_params() == 55
    assert float(layer.l1_density()) == 1.0


def test_default_sparsity_shrinks_with_the_classes():
    assert CSGGate(10).lambda_2 == pytest.approx(0.01)
    assert CSGGate(1000).lambda_2 == pytest.approx(1e-4)


def test_the_config_describes_the_layer():
    layer = CSGGate(3, density=0.5, lambda_2=0.25, name="gate")
    twin = CSGGate.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert (twin.num_classes, twin.density, twin.lambda_2) == (3, 0.5, 0.25)


def test_it_saves_and_loads_in_a_functional_model(tmp_path):
    features = keras.Input((3,))
    labels = keras.Input((), dtype="int32")
    model = keras.Model([features, labels], CSGGate(2)(features, labels))
    model.layers[-1].gate_matrix.assign(GATE)
    model.save(tmp_path / "gate.keras")
    loaded = keras.saving.load_model(tmp_path / "gate.keras")
    inputs = [np.ones((2, 3), "float32"), np.array([0, 1])]
    assert_allclose(loaded(inputs), GATE)


def test_projection_divides_each_filter_by_its_best_class():
    gate = UnitMaxGate()(np.array([[0.5, 2.0], [0.25, -1.0]], "float32"))
    assert_allclose(gate, [[1.0, 1.0], [0.5, 0.0]])


def test_projection_leaves_a_projected_gate_bit_for_bit():
    gate = np.random.default_rng(1).uniform(size=(10, 64)).astype("float32")
    once = np.asarray(UnitMaxGate()(gate))
    assert_array_equal(UnitMaxGate()(once), once)
    assert_array_equal(once.max(axis=0), np.ones(64))


@pytest.mark.parametrize(
    "column, projected",
    [
        ([-3.0, -1.0, -2.0], [0.0, 1.0, 0.0]),
        ([0.0, -1.0, -2.0], [1.0, 0.0, 0.0]),
        ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
        ([1e-30, 0.0, 0.0], [1.0, 0.0, 0.0]),
    ],
)
def test_a_filter_without_a_positive_gate_opens_to_its_best(column, projected):
    gate = UnitMaxGate()(np.array(column, "float32")[:, None])
    assert_array_equal(np.asarray(gate)[:, 0], projected)


def test_sparsity_penalises_what_exceeds_the_budget():
    gate = np.array([[1.0, 0.5], [0.5, 1.0]], "float32")  # sum 3 of 4
    assert float(GateSparsity(0.1, density=0.5)(gate)) == pytest.approx(0.1)
    assert float(GateSparsity(0.1, density=0.75)(gate)) == 0.0


def test_the_default_budget_is_one_class_per_filter():
    one_each = np.eye(4, dtype="float32")
    assert float(GateSparsity(1.0)(one_each)) == 0.0
    assert float(GateSparsity(1.0)(one_each + 0.5)) > 0


@pytest.mark.parametrize(
    "kwargs, match",
    [
        ({"lambda_2": -1}, "lambda_2=-1"),
        ({"density": 0}, "density=0"),
        ({"density": 1.5}, "density=1.5"),
    ],
)
def test_sparsity_refuses_what_has_no_meaning(kwargs, match):
    with pytest.raises(ValueError, match=match):
        GateSparsity(**kwargs)


@pytest.mark.parametrize("kind", [UnitMaxGate, GateSparsity])
def test_constraint_and_regularizer_serialise(kind):
    config = keras.saving.serialize_keras_object(kind())
    twin = keras.saving.deserialize_keras_object(config)
    assert type(twin) is kind and twin.get_config() == kind().get_config()
