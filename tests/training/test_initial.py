"""A training that starts where another run ended."""

import json

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.backbones.weights import WeightsReport
from keras_csg.training import Run
from keras_csg.training.initial import take_over
from keras_csg.training.named_filters import keep_filter_names
from tests.training.photos import Halt, check_same_weights
from tests.training.test_averages import Recording

OPTIONS = {
    "data": "digits",
    "image_size": 8,
    "backbone": "tiny",
    "precision": "float32",
    "batch_size": 256,
}


@pytest.fixture(scope="module")
def before(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("before") / "run"
    keras_csg.train(path, epochs=6, learning_rate=0.05, log=None, **OPTIONS)
    keep_filter_names(Run(path), {2: "stripes"})
    return path


def values(variable):
    return keras.ops.convert_to_numpy(variable)


def test_all_of_it_is_there_at_the_first_step(before, tmp_path):
    lines, recording = [], Recording()
    options = {n: OPTIONS[n] for n in ("data", "precision", "batch_size")}
    keras_csg.train(
        tmp_path / "run",
        init=before,
        epochs=1,
        learning_rate=1e-7,
        callbacks=[recording],
        log=lines.append,
        **options,
    )
    old, new = Run(before).load_model(), Run(tmp_path / "run").load_model()
    assert new.filter_names == {2: "stripes"}
    # Backbone and size of the images are the run's.
    assert new.input_shape == old.input_shape == (None, 8, 8, 3)
    np.testing.assert_allclose(
        recording.steps[0], values(old.head.kernel), atol=1e-4
    )
    np.testing.assert_array_equal(
        values(new.gate.gate_matrix), values(old.gate.gate_matrix)
    )
    (said,) = (line for line in lines if line.startswith("Loaded "))
    assert said.endswith("; head and gate too")
    assert not any(line.startswith("The head first") for line in lines)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["init"] == str(before)
    assert config["head_epochs"] == 0


def report():
    return WeightsReport(
        "tiny", ("conv",), 2, (), 0, ("head", "gate", "gate_budget"), "run"
    )


def other_model(names, **kwargs):
    from tests.tiny import tiny_maps

    images = keras.Input((8, 8, 3), name="images")
    maps = keras.Model(images, tiny_maps(images, kwargs.pop("filters", 20)))
    return keras_csg.CSGClassifier(
        maps, len(names), class_names=names, **kwargs
    )


def test_classes_in_another_order_take_their_own(before):
    old = Run(before).load_model()
    names = list(old.class_names)[::-1]
    model = other_model(names)
    assert take_over(model, str(before), report()).parts == ("head", "gate")
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(
            values(getattr(model.head, name)),
            values(getattr(old.head, name))[..., ::-1],
        )
    np.testing.assert_array_equal(
        values(model.gate.gate_matrix), values(old.gate.gate_matrix)[::-1]
    )
    np.testing.assert_array_equal(
        values(model.gate_budget.scores), values(old.gate_budget.scores)[::-1]
    )
    assert model.gate_budget.is_closed


def test_a_new_class_keeps_its_random_weights_and_opens_the_gate(before):
    old = Run(before).load_model()
    names = [*list(old.class_names)[:9], "ten"]
    model = other_model(names)
    fresh = values(model.head.kernel).copy()
    found = take_over(model, str(before), report())
    assert found.parts == ("head of 9 of the 10 classes",)
    assert str(found).endswith("; not taken: gate")
    kernel = values(model.head.kernel)
    np.testing.assert_array_equal(kernel[:, :9], values(old.head.kernel)[:, :9])
    np.testing.assert_array_equal(kernel[:, 9], fresh[:, 9])
    assert values(model.gate.gate_matrix).min() == 1
    assert not model.gate_budget.is_closed


@pytest.mark.parametrize(
    "options, unused",
    [
        ({"gated": False}, ()),
        ({"density": 0.3}, ("gate",)),
        ({"lambda_2": 0.1}, ("gate",)),
    ],
)
def test_another_kind_of_gate_is_found_anew(before, options, unused):
    names = list(Run(before).load_model().class_names)
    model = other_model(names, **options)
    found = take_over(model, str(before), report())
    assert found.parts == ("head",)
    assert found.unused == unused


def test_what_does_not_fit_is_refused_in_a_line(before, tmp_path):
    with pytest.raises(ValueError, match="a run that knows a class"):
        take_over(other_model(["cat", "dog"]), str(before))
    names = list(Run(before).load_model().class_names)
    with pytest.raises(ValueError, match="with the filters of the network"):
        take_over(other_model(names, filters=30), str(before))
    for options, said in (
        ({"init": tmp_path}, "is not a run directory"),
        ({"init": ""}, "`init` must be the path of a run"),
        ({"init": 3}, "`init` must be the path of a run"),
        ({"init": before, "weights": before}, "leave one of them out"),
        (
            {"init": before, "head_learning_rate": 0.1},
            "whose head is trained: give `head_epochs`",
        ),
        (
            {"init": before, "backbone": "resnet20"},
            "has .* Received: backbone=.resnet20",
        ),
    ):
        given = {n: v for n, v in OPTIONS.items() if n != "backbone"}
        with pytest.raises(keras_csg.InputError, match=said):
            keras_csg.train(
                tmp_path / "run", epochs=1, log=None, **{**given, **options}
            )
        assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_it_is_resumed_from_its_backup(before, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    options = {**OPTIONS, "init": before, "epochs": 2, "deterministic": True}
    keras_csg.train(whole, log=None, **options)
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(torn, callbacks=[Halt()], log=None, **options)
    keras_csg.train(torn, resume=True, log=None)
    check_same_weights(whole, torn)
    assert Run(torn).load_model().filter_names == {2: "stripes"}
