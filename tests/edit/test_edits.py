import logging

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg import CSGClassifier, edit
from keras_csg.metrics import shared_filters
from tests.edit.families import (
    FAMILIES,
    assert_near,
    random_backbone,
    random_images,
)
from tests.edit.hand_made import GATE, NAMES, classifier
from tests.tiny import gate_of, tiny_data


def without(model, filters, classes=()):
    """Returns images and the logits that a smaller network must have."""
    images = random_images(model)
    features = keras.ops.convert_to_numpy(model.features(images)).copy()
    features[:, list(filters)] = 0
    kernel, bias = model.head.get_weights()
    logits = np.delete(features @ kernel + bias, list(classes), axis=1)
    return images, logits


def close(budget):
    """Leaves a budget as a training does that has closed the gate."""
    budget.planned_steps.assign(1)
    budget.updates.assign(1)
    budget.settled.assign(1)


def check(new, model, filters, classes=()):
    images, expected = without(model, filters, classes)
    assert_near(new.predict(images, verbose=0), expected)
    assert new.edit_report.filters == list(filters)
    assert new.filters == model.filters - len(filters)
    assert new.num_classes == model.num_classes - len(classes)
    assert new.class_names == [
        name for n, name in enumerate(NAMES) if n not in classes
    ]


@pytest.mark.parametrize("gated", [True, False])
def test_removed_filters_answer_as_if_they_were_zero(gated):
    model = classifier(gated)
    new = edit.remove_filters(model, [4, 1, 1])
    check(new, model, [1, 4])
    assert new.get_layer("conv").filters == 4
    assert new.edit_report.cut == ["norm", "conv"]
    assert new.gated == gated
    if gated:
        np.testing.assert_array_equal(gate_of(new), GATE[:, [0, 2, 3, 5]])


def test_a_removed_class_takes_the_filters_that_are_its_alone():
    model = classifier()
    new = edit.remove_class(model, "cat")
    # 3 is the owl's as well, 5 half the bee's.
    check(new, model, [0, 1], classes=[0])
    assert new.edit_report.classes == ["cat"]
    assert new.edit_report.shared == [3, 5]
    assert any("3, 5 stay" in line for line in new.edit_report.lines())


def test_filters_that_stay_are_fully_open_to_a_class_again():
    new = edit.remove_class(classifier(), "cat")
    expected = GATE[1:, 2:].copy()
    expected[2, 3] = 1.0  # The bee had half of it beside the cat.
    np.testing.assert_array_equal(gate_of(new), expected)


def test_class_specific_logits_are_those_of_the_left_filters():
    model = classifier()
    new = edit.remove_class(model, "dog")
    images = random_images(model)
    features = keras.ops.convert_to_numpy(model.features(images)).copy()
    features[:, 2] = 0
    expected = model.class_specific_logits(features)
    assert_near(
        new.class_specific_logits(new.features(images)),
        np.delete(expected, 1, axis=1),
    )


def test_classes_are_named_by_name_or_number_alone_or_together():
    model = classifier()
    for classes in ("dog,bee", ["dog", "bee"], [1, "bee"], (3, 1)):
        new = edit.remove_class(model, classes)
        check(new, model, [2, 4], classes=[1, 3])


def test_kept_classes_are_the_others_removed():
    model = classifier()
    new = edit.keep_classes(model, "owl, cat")
    check(new, model, [2, 4], classes=[1, 3])


def test_without_a_gate_the_column_goes_and_the_filters_stay():
    model = classifier(gated=False)
    new = edit.remove_class(model, "owl")
    check(new, model, [], classes=[2])
    assert any("no filter belongs" in line for line in new.edit_report.notes)


def test_shared_filters_are_pruned():
    model = classifier()
    assert np.flatnonzero(shared_filters(GATE)).tolist() == [3, 5]
    check(edit.prune_shared(model), model, [3, 5])


def test_dead_filters_are_pruned_and_their_constant_kept():
    model = classifier()
    features = np.random.default_rng(1).uniform(size=(9, 6))
    features[:, 2], features[:, 4] = 0.0, 0.25
    new = edit.prune_dead(model, features.astype("float32"))
    assert new.edit_report.filters == [2, 4]
    kernel, bias = model.head.get_weights()
    new_kernel, new_bias = new.head.get_weights()
    np.testing.assert_allclose(
        features @ kernel + bias,
        features[:, [0, 1, 3, 5]] @ new_kernel + new_bias,
        rtol=1e-5,
    )


def test_the_budget_goes_on_from_where_it_was():
    new = edit.remove_class(classifier(), "cat")
    budget = new.gate_budget
    np.testing.assert_array_equal(budget.scores, 10 * GATE[1:, 2:])
    assert int(budget.updates) == 7 and budget.target == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "density, expected", [(None, None), (0.25, 1 / 3), (0.9, 1.0)]
)
def test_as_many_classes_are_open_to_a_filter_as_before(density, expected):
    new = edit.remove_class(classifier(density=density), "cat")
    assert new.density == pytest.approx(expected)


def test_settings_and_names_go_along():
    model = classifier(
        lambda_2=0.2, lambda_5=0.5, schedule="alternating", name="mine"
    )
    model.get_layer("conv").trainable = False
    new = edit.remove_class(model, "bee")
    assert new.lambda_2 == 0.2 and new.lambda_5 == 0.5 and new.name == "mine"
    assert type(new.schedule) is type(model.schedule)
    assert new.frozen == model.frozen == ["backbone/conv"]
    assert new.gate_budget is None


def test_the_network_itself_stays_as_it_was():
    model = classifier()
    before = [weight.copy() for weight in model.get_weights()]
    new = edit.remove_class(model, "cat")
    new.head.kernel.assign(new.head.kernel * 0)
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    assert model.num_classes == 4 and model.filters == 6


def test_what_was_edited_is_edited_again():
    model = classifier()
    new = edit.remove_filters(edit.remove_class(model, "dog"), 0)
    images, expected = without(model, [0, 2], [1])
    assert_near(new.predict(images, verbose=0), expected)


def test_it_trains_and_is_saved_and_read(tmp_path):
    new = edit.remove_class(classifier(), "bee")
    images, labels = tiny_data()
    new.compile("adam")
    new.fit(images[labels < 3], labels[labels < 3], epochs=1, verbose=0)
    np.testing.assert_array_equal(gate_of(new).max(axis=0), 1)
    new.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    batch = random_images(new)
    assert_near(again.predict(batch, verbose=0), new.predict(batch, verbose=0))


def test_a_class_without_a_filter_is_told_of():
    new = edit.remove_filters(classifier(), [4])
    assert any(line.endswith("left to bee.") for line in new.edit_report.notes)


def test_the_log_says_what_was_done(caplog):
    with caplog.at_level(logging.INFO, "keras_csg"):
        edit.remove_class(classifier(), "cat")
    assert "Removed 2 filters and the class cat: " in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_networks_of_all_families(name, tmp_path):
    """Equal, smaller as a file and as a graph, trained on, saved and read."""
    onnx = pytest.importorskip("onnx")
    model = CSGClassifier(random_backbone(name), 4, class_names=NAMES)
    gates = np.eye(4)[:, np.arange(model.filters) % 4]
    model.gate.gate_matrix.assign(gates)
    close(model.gate_budget)
    new = edit.remove_class(model, "dog")
    gone = np.flatnonzero(gates[1])
    images, expected = without(model, gone, [1])
    assert_near(new.predict(images, verbose=0), expected, 2e-5)
    assert FAMILIES[name] in (None, bool(new.edit_report.cut))
    sizes = []
    for number, network in enumerate((model, new)):
        path = tmp_path / f"{number}.onnx"
        keras_csg.export(network, path)
        onnx.checker.check_model(str(path))
        network.save(tmp_path / f"{number}.keras")
        sizes.append((path.stat().st_size, network.count_params()))
    assert sizes[1][1] < sizes[0][1] and sizes[1][0] < sizes[0][0]
    again = keras.saving.load_model(tmp_path / "1.keras")
    assert_near(again.predict(images, verbose=0), expected, 2e-5)
    new.compile("sgd")
    new.fit(images, np.arange(len(images)), verbose=0)
    # The gate was closed, and rests.
    np.testing.assert_array_equal(
        gate_of(new), np.delete(gates, 1, 0)[:, gates[1] < 1]
    )
