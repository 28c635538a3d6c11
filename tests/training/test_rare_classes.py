"""Balanced sampling and logit adjustment, from option to run."""

import json

import keras
import numpy as np
import pytest
import scipy.special

import keras_csg
from keras_csg.models.losses import LogitCrossentropy
from keras_csg.training import TrainingOptions
from keras_csg.training.class_weights import logit_offsets

pytest.importorskip("tensorflow")


def test_an_adjusted_loss_is_that_of_logits_with_the_log_shares():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(6, 3)).astype("float32")
    labels = np.array([0, 1, 2, 0, 1, 2])
    offsets = np.log([0.7, 0.2, 0.1])
    moved = logits + offsets
    expected = (
        scipy.special.logsumexp(moved, axis=1) - moved[np.arange(6), labels]
    )
    loss = LogitCrossentropy(offsets=offsets, reduction=None)
    np.testing.assert_allclose(loss(labels, logits), expected, rtol=1e-5)
    soft = np.eye(3, dtype="float32")[labels]
    np.testing.assert_allclose(loss(soft, logits), expected, rtol=1e-5)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    np.testing.assert_allclose(again(labels, logits), expected, rtol=1e-5)


def test_offsets_are_logs_of_the_shares():
    class Train:
        class_counts = np.array([60, 30, 10])

    class Data:
        train = Train

    assert logit_offsets(None, Data) is None
    np.testing.assert_allclose(
        logit_offsets(0.5, Data), np.log([0.6, 0.3, 0.1]) / 2
    )


@pytest.mark.parametrize(
    "cures, said",
    [
        (("class_weights", "sampling"), "`class_weights` and `sampling` each"),
        (("sampling", "logit_adjustment"), "`sampling` and `logit_adj"),
    ],
)
def test_two_cures_at_once_are_too_much(cures, said):
    values = {
        "class_weights": "balanced",
        "sampling": "balanced",
        "logit_adjustment": 1.0,
    }
    with pytest.raises(ValueError, match=said):
        TrainingOptions(**{name: values[name] for name in cures})


@pytest.mark.parametrize(
    "name, value",
    [("sampling", "balanced"), ("logit_adjustment", 1.0), ("long_tail", 5.0)],
)
def test_images_of_several_classes_have_none_of_it(name, value):
    with pytest.raises(ValueError, match=f"`{name}` is for images of one"):
        TrainingOptions(multi_label=True, **{name: value})


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(
            {"logit_adjustment": 1.0, "gate_schedule": "alternating"},
            marks=pytest.mark.slow,
        ),
        pytest.param({"sampling": "balanced"}, marks=pytest.mark.slow),
        pytest.param({"logit_adjustment": 1.0}, marks=pytest.mark.slow),
        pytest.param(
            {"sampling": "balanced", "standard": True}, marks=pytest.mark.slow
        ),
    ],
)
def test_a_run_keeps_them_and_its_model_loads(tmp_path, options):
    figures = keras_csg.train(
        tmp_path / "run",
        log=None,
        long_tail=20,
        epochs=1,
        image_size=8,
        **options,
    )
    assert figures["examples"] == 360
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert {name: config[name] for name in options} == options
    assert config["long_tail"] == 20
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    offsets = model.loss.offsets
    assert (offsets is None) == ("sampling" in options)
    if offsets:
        assert sum(np.exp(offsets)) == pytest.approx(1)
    again = keras_csg.evaluate(tmp_path / "run", log=None)
    assert again["accuracy"] == figures["accuracy"]
