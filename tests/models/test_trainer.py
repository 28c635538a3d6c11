import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGClassifier
from tests.tiny import (
    CLASSES,
    FILTERS,
    ListedSchedule,
    gate_of,
    tiny_backbone,
    tiny_classifier,
    tiny_data,
)

OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.1, 0.9, weight_decay=0.1),
    "nesterov": lambda: keras.optimizers.SGD(0.1, 0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.9),
    "lion": lambda: keras.optimizers.Lion(0.01, weight_decay=0.1),
    "accumulation": lambda: keras.optimizers.Adam(
        0.01, gradient_accumulation_steps=2
    ),
    "loss scaling": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1, 0.9), initial_scale=8.0
    ),
}
ALIKE = ("momentum", "nesterov", "rmsprop", "lion", "accumulation")
"""Optimizers that keep their moments as another of them does."""
MODES = {
    "graph": {},
    "eager": {"run_eagerly": True},
    "xla": {"jit_compile": True},
    "several steps in one": {"steps_per_execution": 2},
}
SLOW = ("xla", "eager", "several steps in one")


def test_fitting_before_compiling_is_kerass_own_error():
    with pytest.raises(ValueError, match="compile"):
        tiny_classifier().fit(*tiny_data(8), verbose=0)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in MODES
    ],
)
def test_it_trains_in_every_mode(mode):
    """On 70 samples in batches of 32, so the last batch is a partial one."""
    model = tiny_classifier(density=0.3)
    images, labels = tiny_data()
    model.compile(keras.optimizers.SGD(0.2, momentum=0.9), **MODES[mode])
    history = model.fit(
        images,
        labels,
        batch_size=32,
        epochs=12,
        validation_data=(images, labels),
        verbose=0,
    ).history
    assert set(history) == {
        prefix + name
        for prefix in ("", "val_")
        for name in (
            "loss",
            "accuracy",
            "total_loss",
            "class_specific_accuracy",
            "class_specific_loss",
            "gated_loss",
            "complement_loss",
            "off_class",
            "l1_density",
        )
    }
    assert history["val_accuracy"][-1] > 0.9
    assert history["l1_density"][-1] == pytest.approx(0.3, rel=1e-3)
    assert_array_equal(gate_of(model).max(axis=0), np.ones(FILTERS))


def test_evaluate_reports_what_numpy_counts():
    model = tiny_classifier()
    images, labels = tiny_data()
    model.gate.gate_matrix.assign(np.eye(CLASSES, FILTERS) + 0.1)
    model.compile("sgd")
    results = model.evaluate(
        images, labels, batch_size=32, verbose=0, return_dict=True
    )
    logits = model.predict(images, verbose=0)
    specific = np.asarray(model.class_specific_logits(model.features(images)))
    assert results["accuracy"] == pytest.approx(
        (logits.argmax(1) == labels).mean()
    )
    assert results["class_specific_accuracy"] == pytest.approx(
        (specific.argmax(1) == labels).mean()
    )
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert results["loss"] == pytest.approx(
        float(crossentropy(labels, logits)), rel=1e-5
    )
    assert results["gated_loss"] == pytest.approx(
        float(crossentropy(labels, model(images, labels=labels))), rel=1e-5
    )


@pytest.mark.filterwarnings("ignore:The gate ended")
@pytest.mark.parametrize(
    ("optimizer", "lambda_2"),
    [
        *(
            pytest.param(
                name,
                0.05,
                marks=pytest.mark.slow if name in ALIKE else (),
            )
            for name in OPTIMIZERS
        ),
        ("adamw", None),
        ("loss scaling", None),
    ],
)
def test_without_the_gated_path_the_gate_stays_bit_for_bit(optimizer, lambda_2):
    model = tiny_classifier(
        schedule=ListedSchedule([(0, 1), (1, 0), (1, 1)]),
        lambda_2=lambda_2,
        closing_steps=10,
    )
    images, labels = tiny_data()
    model.compile(OPTIMIZERS[optimizer]())
    gates, heads = [gate_of(model)], []
    for epoch in range(3):
        model.fit(
            images,
            labels,
            batch_size=16,
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
        )
        gates.append(gate_of(model))
        heads.append(np.array(model.head.kernel.value))
    assert (gates[0] != gates[1]).any()
    assert_array_equal(gates[1], gates[2])
    assert (gates[2] != gates[3]).any()
    assert (heads[0] != heads[1]).any()


def test_an_unprojected_gate_is_left_alone_too():
    model = tiny_classifier(schedule=ListedSchedule([(1, 0)]), lambda_2=0.05)
    odd = np.full((CLASSES, FILTERS), 0.3, "float32")
    model.gate.gate_matrix.assign(odd)
    model.compile(keras.optimizers.SGD(0.1, 0.9, weight_decay=0.1))
    model.fit(*tiny_data(), verbose=0)
    assert_array_equal(gate_of(model), odd)


@pytest.mark.parametrize("loss_scaled", [False, True])
def test_weight_decay_never_touches_the_gate(loss_scaled):
    """With no pull on the gate but decay, it has to stay where it is."""
    model = tiny_classifier(lambda_1=0.0, lambda_2=0.0, lambda_3=0.0)
    gate = np.random.default_rng(0).uniform(0.1, 0.9, (CLASSES, FILTERS))
    gate[0] = 1
    model.gate.gate_matrix.assign(gate)
    before = gate_of(model)
    optimizer = keras.optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    if loss_scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer)
    kernel = np.abs(model.head.kernel.value).sum()
    bias = np.full(CLASSES, 3.0, "float32")
    model.head.bias.assign(bias)
    images, labels = tiny_data()
    zero = np.zeros(len(labels), "float32")
    model.fit(images, labels, sample_weight=zero, epochs=3, verbose=0)
    assert_allclose(gate_of(model), before, rtol=1e-6)
    assert np.abs(model.head.kernel.value).sum() < 0.6 * kernel
    # What the user had excluded stays excluded.
    assert_allclose(model.head.bias.value, bias)


def test_a_used_optimizer_must_not_decay_the_gate():
    optimizer = keras.optimizers.SGD(0.1, weight_decay=0.1)
    model = tiny_classifier(lambda_2=0.05)
    model.compile(optimizer)
    model.fit(*tiny_data(8), verbose=0)
    model.compile(optimizer)  # The same gate, which it leaves alone.
    with pytest.raises(ValueError, match="give `compile` a new one"):
        tiny_classifier(lambda_2=0.05).compile(optimizer)


def test_sample_weights_weigh_both_paths():
    images, labels = tiny_data(32)
    weights = np.linspace(0, 2, 32).astype("float32")
    model = tiny_classifier()
    model.gate.gate_matrix.assign(np.eye(CLASSES, FILTERS) + 0.2)
    model.compile("sgd")
    logs = model.test_on_batch(images, labels, weights, return_dict=True)
    each = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="none"
    )
    for name, logits in {
        "loss": model(images),
        "gated_loss": model(images, labels=labels),
    }.items():
        expected = (np.asarray(each(labels, logits)) * weights).mean()
        assert float(logs[name]) == pytest.approx(expected, rel=1e-5)


def test_a_standard_step_is_kerass_own():
    """The ungated model against `keras.Model`'s stock training step."""
    images, labels = tiny_data()
    ours = CSGClassifier(tiny_backbone(normalized=False), CLASSES, gated=False)
    backbone = tiny_backbone(normalized=False)
    head = keras.layers.Dense(CLASSES)
    stock = keras.Model(
        backbone.input,
        head(keras.layers.GlobalAveragePooling2D()(backbone.output)),
    )
    stock.set_weights(ours.get_weights())
    ours.compile(keras.optimizers.SGD(0.1, 0.9))
    stock.compile(
        keras.optimizers.SGD(0.1, 0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    logs = [
        model.fit(images, labels, epochs=2, shuffle=False, verbose=0).history
        for model in (ours, stock)
    ]
    for name in ("loss", "accuracy"):
        assert_allclose(logs[0][name], logs[1][name], rtol=1e-5)
    for a, b in zip(ours.get_weights(), stock.get_weights(), strict=True):
        assert_allclose(a, b, atol=1e-5)


def test_soft_labels_train_and_hard_ones_validate():
    images, labels = tiny_data()
    soft = (0.9 * np.eye(CLASSES)[labels] + 0.1 / CLASSES).astype("float32")
    model = tiny_classifier()
    model.compile(keras.optimizers.SGD(0.2, 0.9))
    history = model.fit(
        images, soft, epochs=30, validation_data=(images, labels), verbose=0
    ).history
    assert history["accuracy"][-1] > 0.9
    assert history["val_accuracy"][-1] > 0.9


@pytest.mark.parametrize(
    "loss", ["sparse_categorical_crossentropy", "crossentropy"]
)
def test_a_loss_by_name_takes_logits(loss):
    images, labels = tiny_data()
    model = tiny_classifier()
    model.compile("sgd", loss, metrics=["accuracy"])
    by_name = model.evaluate(images, labels, verbose=0, return_dict=True)
    model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    given = model.evaluate(images, labels, verbose=0, return_dict=True)
    assert by_name["loss"] == pytest.approx(given["loss"])
    assert by_name["accuracy"] == given["accuracy"]


def test_loss_weights_are_refused():
    with pytest.raises(ValueError, match="lambda_1"):
        tiny_classifier().compile("sgd", loss_weights=[1.0])
