"""A classifier that is trained by something else than its own `fit`."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from keras_csg.layers import measure_statistics
from tests.tiny import CLASSES, gate_of, tiny_classifier, tiny_data

pytestmark = pytest.mark.slow


WARNED = "trains one path alone"


def told(work):
    """Returns how often somebody is told that the gate does not train."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    return sum(WARNED in str(warning.message) for warning in caught)


@pytest.mark.parametrize("lambda_2", [None, 0.5])
def test_within_another_model_it_says_once_that_the_gate_rests(lambda_2):
    model = tiny_classifier(lambda_2=lambda_2)
    flip = keras.layers.RandomFlip(seed=0)
    wrapped = keras.Sequential([flip, model])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    wrapped.compile("sgd", loss)
    images, labels = tiny_data(32)
    assert told(lambda: wrapped.predict(images, verbose=0)) == 0
    assert told(lambda: wrapped.fit(images, labels, verbose=0)) == 1
    assert told(lambda: wrapped.fit(images, labels, verbose=0)) == 0
    wrapped.run_eagerly = True
    assert told(lambda: wrapped.fit(images, labels, verbose=0)) == 0


@pytest.mark.parametrize("of_gate", [False, True])
def test_a_call_in_training_mode_says_so(of_gate):
    model = tiny_classifier()
    images, labels = tiny_data(4)
    labels = labels if of_gate else None
    assert told(lambda: model(images, training=False)) == 0
    with pytest.warns(UserWarning, match=WARNED) as caught:
        model(images, labels, training=True)
    (warning,) = caught
    assert "\n" not in str(warning.message)


def test_what_is_its_own_says_nothing():
    model = tiny_classifier(closing_steps=1)
    images, labels = tiny_data(32)
    model.compile("sgd", run_eagerly=True)

    def work():
        model.fit(images, labels, verbose=0)
        model.train_on_batch(images, labels)
        model.evaluate(images, labels, verbose=0)
        measure_statistics(model, [images])
        model.training_features(images)

    assert told(work) == 0
    standard = tiny_classifier(gated=False)
    assert told(lambda: standard(images, training=True)) == 0


def own_loop(model, images, labels, epochs):
    """The loop of docs/python.md."""

    @tf.function
    def step(images, labels):
        variables = model.optimized_variables
        gate_matrix = model.gate.gate_matrix
        with tf.GradientTape() as tape:
            features = model.training_features(images)
            loss, _ = model.compute_dual_path_loss(
                features, labels, training=True
            )
            loss = model.optimizer.scale_loss(loss + sum(model.losses))
        *gradients, of_gate = tape.gradient(loss, [*variables, gate_matrix])
        model.optimizer.apply(gradients, variables)
        model.move_gate(of_gate)

    for epoch in range(epochs):
        model.begin_epoch(epoch)
        for start in range(0, len(images), 16):
            step(images[start : start + 16], labels[start : start + 16])


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_an_own_loop_does_what_fit_does(policy):
    keras.config.set_dtype_policy(policy)
    images, labels = tiny_data(64)
    optimizer = keras.optimizers.SGD(0.1, 0.9)
    by_fit, by_hand = tiny_classifier(), tiny_classifier()
    by_hand.set_weights(by_fit.get_weights())
    for model in (by_fit, by_hand):
        model.dropout.rate = 0.0
        model.compile(keras.optimizers.SGD.from_config(optimizer.get_config()))
        model.get_layer("dropout").rate = 0.0
    by_fit.fit(
        images,
        labels,
        batch_size=16,
        epochs=4,
        shuffle=False,
        measure_again=False,
        verbose=0,
    )
    by_hand.build_optimizer()
    by_hand.gate_budget.plan(8)  # Half of the steps, as `fit` does.
    own_loop(by_hand, images, labels, epochs=4)
    assert gate_of(by_hand).mean() == pytest.approx(1 / CLASSES)
    assert_array_equal(gate_of(by_fit), gate_of(by_hand))
    np.testing.assert_allclose(
        by_fit.head.kernel.numpy(), by_hand.head.kernel.numpy(), atol=1e-3
    )
