import keras
import pytest

import keras_csg
from keras_csg.commands import InputError, set_up_training
from keras_csg.training import TrainingOptions
from keras_csg.training.effects import GATE_OPTIONS, check_effects


def check(**given):
    check_effects(given, TrainingOptions(**given))


@pytest.mark.parametrize(
    "given, named",
    [
        ({"standard": True, "lambda_4": 0.5}, "lambda_4"),
        ({"standard": True, "gate_schedule": "alternating"}, "gate_schedule"),
        ({"standard": True, "density": 0.5}, "density"),
        ({"gate_period": 5}, "gate_period"),
        ({"weights": "w", "freeze": "all", "backbone_rate": 0.1},)
        + ("backbone_rate",),
        ({"optimizer": "adamw", "momentum": 0.5}, "momentum"),
        ({"lambda_3": 0.0, "filter_dropout": 0.5}, "filter_dropout"),
        ({"weights": "w", "head_epochs": 0, "head_learning_rate": 0.1},)
        + ("head_learning_rate",),
    ],
)
def test_an_option_without_effect_is_named(given, named):
    with pytest.raises(ValueError, match=rf"^`{named}` has no effect") as error:
        check(**given)
    assert f"Received: {named}={given[named]!r}" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"standard": True, "lambda_4": 0.3, "gate_warmup": None},
        {"gate_schedule": "alternating", "gate_period": 5},
        {"weights": "w", "freeze": 3, "backbone_rate": 0.1},
        {"optimizer": "rmsprop", "momentum": 0.5},
        {"momentum": 0.5},
        {"lambda_3": 0.0, "filter_dropout": 0.0},
    ],
)
def test_others_pass(given):
    check(**given)


def test_a_warm_up_leaves_epochs():
    with pytest.raises(ValueError, match="`lr_warmup` must be less than"):
        check(lr_warmup=10, epochs=10)
    check(lr_warmup=9, epochs=10)


def test_a_warm_up_leaves_some_of_the_epochs_that_fit_the_data(tmp_path):
    with pytest.raises(InputError, match="lr_warmup=20, epochs=20"):
        set_up_training(tmp_path / "run", image_size=8, lr_warmup=20, log=None)
    assert not list(tmp_path.iterdir())


def test_a_file_of_all_options_passes():
    options = TrainingOptions(standard=True, gate_warmup=3, filter_dropout=0.7)
    check_effects({"standard": True}, options)


def test_every_option_of_the_gate_is_one():
    for name in GATE_OPTIONS:
        assert hasattr(TrainingOptions(), name)


def test_it_is_asked_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="`lambda_5` has no effect"):
        set_up_training(
            tmp_path / "run", data="nowhere", standard=True, lambda_5=0.0
        )
    assert not list(tmp_path.iterdir())


PLATEAU = keras.callbacks.ReduceLROnPlateau(
    "loss", factor=0.1, patience=1, min_delta=100.0
)


@pytest.mark.parametrize(
    "options",
    [{}, {"lr_schedule": "constant"}, {"lr_schedule": "step", "lr_warmup": 0}],
    ids=str,
)
def test_a_schedule_is_not_set_by_a_callback_as_well(tmp_path, options):
    with pytest.raises(InputError, match="`ReduceLROnPlateau` sets the learn"):
        keras_csg.train(
            tmp_path / "run", data="nowhere", callbacks=[PLATEAU], **options
        )
    assert not list(tmp_path.iterdir())


def test_a_callback_sets_a_constant_rate(tmp_path):
    rates = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(logs["learning_rate"])
    )
    keras_csg.train(
        tmp_path / "run",
        image_size=8,
        backbone="resnet20",
        epochs=4,
        learning_rate=0.5,
        lr_schedule="constant",
        lr_warmup=0,
        callbacks=[PLATEAU, keep],
        log=None,
    )
    assert rates == pytest.approx([0.5, 0.5, 0.05, 0.005])
