import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.models import AlternatingSchedule, GateScheduler, JointSchedule
from keras_csg.models.schedules import PathWeights
from tests.tiny import CLASSES, gate_of, tiny_classifier, tiny_data

STEPS = 5  # Of an epoch of 70 samples in batches of 16.
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, 0.9),
    "slow sgd": lambda: keras.optimizers.SGD(1e-4),
    "adamw": lambda: keras.optimizers.AdamW(1e-3),
    "slow adamw": lambda: keras.optimizers.AdamW(1e-4),
    "rmsprop": lambda: keras.optimizers.RMSprop(1e-3),
    "averaged": lambda: keras.optimizers.SGD(0.1, use_ema=True),
    "clipped": lambda: keras.optimizers.SGD(0.1, global_clipnorm=1e-3),
}


def fitted(model, epochs=4, optimizer=None, **kwargs):
    images, labels = tiny_data()
    model.compile(optimizer or keras.optimizers.SGD(0.1, 0.9))
    return model.fit(
        images, labels, batch_size=16, epochs=epochs, verbose=0, **kwargs
    ).history


def assert_closed(model):
    gate = gate_of(model)
    assert gate.mean() == pytest.approx(1 / CLASSES)
    assert_array_equal(gate.max(axis=0), 1)
    assert (gate == 1).any(axis=1).all()


@pytest.mark.parametrize(
    "optimizer",
    [
        "sgd",
        "slow adamw",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in sorted({*OPTIMIZERS} - {"sgd", "slow adamw"})
        ),
    ],
)
def test_the_gate_closes_whatever_the_optimizer(optimizer):
    model = tiny_classifier()
    history = fitted(model, optimizer=OPTIMIZERS[optimizer]())
    assert_closed(model)
    # The cubic budget after 5 of 10 steps, and closed from there on.
    assert history["l1_density"] == pytest.approx(
        [0.25 + 0.75 / 8, 0.25, 0.25, 0.25], rel=2e-3
    )


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(JointSchedule(warmup=3), marks=pytest.mark.slow),
        AlternatingSchedule(warmup=2),
    ],
)
def test_it_closes_within_half_of_the_gated_epochs(schedule):
    model = tiny_classifier(schedule=schedule)
    density = fitted(model, epochs=9)["l1_density"]
    gated = [epoch for epoch in range(9) if schedule(epoch).gated]
    assert density[: gated[0]] == [1.0] * gated[0]
    half = gated[-(-len(gated) // 2) - 1]
    assert density[half] == pytest.approx(0.25)


def test_it_closes_in_one_step_if_there_are_but_two():
    model = tiny_classifier()
    images, labels = tiny_data(32)
    model.compile("sgd")
    model.fit(images, labels, batch_size=16, verbose=0)
    assert_closed(model)


def test_a_schedule_goes_on_where_fit_is_called_again():
    """The warm-up of two epochs is over in the third call, not never."""
    model = tiny_classifier(schedule=JointSchedule(warmup=2), closing_steps=4)
    for _ in range(2):
        with pytest.warns(UserWarning, match="no epoch trained the gated path"):
            fitted(model, epochs=1)
        assert_array_equal(gate_of(model), 1)
    fitted(model, epochs=1)
    assert model.epochs_trained == 3
    assert_closed(model)


@pytest.mark.slow
def test_a_closed_gate_rests_when_fit_is_called_again():
    model = tiny_classifier()
    fitted(model, epochs=2)
    before = gate_of(model)
    fitted(model, epochs=2)
    assert_array_equal(gate_of(model), before)


@pytest.mark.slow
def test_a_half_closed_gate_goes_on_closing_when_fit_is_called_again():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    model = tiny_classifier()
    with pytest.warns(UserWarning, match="density of 0.47"):
        first = fitted(model, epochs=6, callbacks=[Stop()])["l1_density"][-1]
    again = fitted(model, epochs=4)["l1_density"]
    assert first > again[0] > again[1]
    assert_closed(model)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_unknown_steps_are_counted_in_the_first_epoch():
    images, labels = tiny_data()

    def batches():
        for start in range(0, 70, 16):
            yield images[start : start + 16], labels[start : start + 16]

    import tensorflow as tf

    signature = (
        tf.TensorSpec((None, 8, 8, 3)),
        tf.TensorSpec((None,), "int32"),
    )
    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    model = tiny_classifier()
    model.compile("sgd")
    density = model.fit(data, epochs=6, shuffle=False, verbose=0).history[
        "l1_density"
    ]
    assert density[0] == 1
    assert density[1] > density[2] > density[3]
    assert_closed(model)


def test_training_batch_by_batch_closes_within_what_is_said():
    model = tiny_classifier(closing_steps=3)
    model.compile("sgd")
    images, labels = tiny_data(16)
    for _ in range(4):
        model.train_on_batch(images, labels)
    assert_closed(model)


def test_training_batch_by_batch_says_what_it_does_not_know():
    images, labels = tiny_data(16)
    model = tiny_classifier()
    model.compile("sgd")
    with pytest.warns(UserWarning, match="closes in 1000 steps.*closing_steps"):
        model.train_on_batch(images, labels)
    model.train_on_batch(images, labels)  # Once is enough.
    model = tiny_classifier(schedule="alternating", closing_steps=3)
    model.compile("sgd")
    with pytest.warns(UserWarning, match="begin_epoch"):
        model.train_on_batch(images, labels)
    assert_array_equal(gate_of(model), 1)
    model.begin_epoch(3)
    model.train_on_batch(images, labels)
    assert gate_of(model).mean() < 1


def test_a_saved_model_goes_on_closing(tmp_path):
    model = tiny_classifier(closing_steps=8)
    with pytest.warns(UserWarning, match="before it closed"):
        fitted(model, epochs=1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.epochs_trained == 1
    assert loaded.closing_steps == 8
    images, labels = tiny_data()
    for each in (model, loaded):
        each.fit(images, labels, batch_size=16, shuffle=False, verbose=0)
        assert_closed(each)
    assert_array_equal(gate_of(model), gate_of(loaded))


def test_the_callers_own_gate_scheduler_counts():
    model = tiny_classifier()
    before = gate_of(model)
    frozen = GateScheduler(lambda epoch: PathWeights(1, 0))
    with pytest.warns(UserWarning, match="no epoch trained the gated path"):
        fitted(model, epochs=1, callbacks=[frozen])
    assert_array_equal(gate_of(model), before)


def test_a_frozen_gate_stays_as_it_was_made_by_hand():
    model = tiny_classifier(density=0.5)
    by_hand = np.zeros(gate_of(model).shape, "float32")
    by_hand[np.arange(6) % CLASSES, np.arange(6)] = 1
    model.gate.gate_matrix.assign(by_hand)
    model.gate.trainable = False
    fitted(model, epochs=2)
    assert_array_equal(gate_of(model), by_hand)


@pytest.mark.parametrize("lambda_2", [None, 0.0])
def test_averages_of_an_optimizer_leave_the_gate_alone(lambda_2):
    model = tiny_classifier(lambda_2=lambda_2)
    images, labels = tiny_data()
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    if lambda_2 is not None:
        with pytest.raises(ValueError, match="averages.*leave `lambda_2` out"):
            model.compile(optimizer)
        return
    model.compile(optimizer)
    model.fit(
        images,
        labels,
        batch_size=16,
        epochs=2,
        callbacks=[keras.callbacks.SwapEMAWeights(swap_on_epoch=True)],
        verbose=0,
    )
    assert_closed(model)
