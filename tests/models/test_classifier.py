import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGClassifier
from keras_csg.models import GateScheduler
from keras_csg.models.schedules import PathWeights
from tests.tiny import (
    CLASSES,
    FILTERS,
    gate_of,
    tiny_backbone,
    tiny_classifier,
    tiny_data,
)


def weights_of(model):
    return [keras.ops.convert_to_numpy(w).copy() for w in model.weights]


def test_calling_it_gives_the_standard_paths_logits():
    model = tiny_classifier()
    images, labels = tiny_data(5)
    maps = np.asarray(model.backbone(images))
    kernel, bias = (np.asarray(w.value) for w in model.head.weights)
    features = maps.mean(axis=(1, 2))
    assert_allclose(model(images), features @ kernel + bias, atol=1e-5)

    gate = np.random.default_rng(0).uniform(size=(CLASSES, FILTERS))
    gate[0] = 1
    model.gate.gate_matrix.assign(gate)
    gated = (gate[labels] * features) @ kernel + bias
    assert_allclose(model(images, labels=labels), gated, atol=1e-5)
    specific = features @ (kernel * gate.T) + bias
    assert_allclose(model.class_specific_logits(features), specific, atol=1e-5)


def test_an_open_gate_makes_all_paths_agree():
    model = tiny_classifier()
    images, labels = tiny_data(5)
    assert_allclose(model(images), model(images, labels=labels))
    assert_allclose(
        model(images),
        model.class_specific_logits(model.features(images)),
        rtol=1e-5,
    )


MODES = {
    "graph": {},
    "eager": {"run_eagerly": True},
    "xla": {"jit_compile": True},
    "several steps in one": {"steps_per_execution": 2},
}


@pytest.mark.parametrize("mode", MODES)
def test_it_trains_in_every_mode(mode):
    """On 70 samples in batches of 32, so the last batch is a partial one."""
    model = tiny_classifier(density=0.3, lambda_2=0.05)
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
            "class_specific_accuracy",
            "standard_loss",
            "gated_loss",
            "l1_density",
        )
    }
    assert history["val_accuracy"][-1] > 0.9
    assert history["l1_density"][-1] < 0.5
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
    assert results["standard_loss"] == pytest.approx(
        float(crossentropy(labels, logits)), rel=1e-5
    )
    assert results["gated_loss"] == pytest.approx(
        float(crossentropy(labels, model(images, labels=labels))), rel=1e-5
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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_without_the_gated_path_the_gate_stays_bit_for_bit(optimizer):
    schedule = {
        0: PathWeights(0, 1),
        1: PathWeights(1, 0),
        2: PathWeights(1, 1),
    }
    model = tiny_classifier(schedule=schedule.get, lambda_2=0.05)
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
    model = tiny_classifier(schedule=lambda epoch: PathWeights(1, 0))
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
    model = tiny_classifier()
    model.compile(optimizer)
    model.fit(*tiny_data(8), verbose=0)
    model.compile(optimizer)  # The same gate, which it leaves alone.
    with pytest.raises(ValueError, match="give `compile` a new one"):
        tiny_classifier().compile(optimizer)


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
        "standard_loss": model(images),
        "gated_loss": model(images, labels=labels),
    }.items():
        expected = (np.asarray(each(labels, logits)) * weights).mean()
        assert float(logs[name]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_logits_and_gate_in_float32(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = tiny_classifier()
    images, labels = tiny_data()
    model.compile(keras.optimizers.SGD(0.1, 0.9))
    wrapped = keras.optimizers.LossScaleOptimizer
    assert isinstance(model.optimizer, wrapped) == (policy == "mixed_float16")
    history = model.fit(images, labels, epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.gate.gate_matrix.dtype == "float32"
    assert model.backbone.layers[-1].compute_dtype == policy[6:]
    assert keras.backend.standardize_dtype(model(images).dtype) == "float32"
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.backbone.layers[-1].compute_dtype == policy[6:]
    assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )


def test_the_standard_baseline_trains_exactly_the_same_layers():
    gated, standard = tiny_classifier(), tiny_classifier(gated=False)

    def shapes(model):
        return [
            (v.path.split("/", 1)[1], v.shape) for v in model.trainable_weights
        ]

    gate = ("gate/gate_matrix", (CLASSES, FILTERS))
    assert shapes(gated) == [*shapes(standard), gate]


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


def test_it_saves_and_loads_with_all_it_needs_to_go_on(tmp_path):
    model = tiny_classifier(
        lambda_1=0.5,
        lambda_2=0.02,
        lambda_3=0.1,
        filter_dropout=0.25,
        density=0.4,
        schedule="alternating",
        class_names=["a", "b", "c", "d"],
    )
    images, labels = tiny_data()
    model.compile(keras.optimizers.SGD(0.1, 0.9, weight_decay=0.01))
    model.fit(images, labels, epochs=5, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert type(loaded) is CSGClassifier
    assert loaded.class_names == ["a", "b", "c", "d"]
    assert (loaded.lambda_1, loaded.lambda_3) == (0.5, 0.1)
    assert loaded.filter_dropout.rate == 0.25
    assert (loaded.gate.lambda_2, loaded.gate.density) == (0.02, 0.4)
    assert loaded.schedule.get_config() == model.schedule.get_config()
    for a, b in zip(weights_of(model), weights_of(loaded), strict=True):
        assert_array_equal(a, b)
    for a, b in zip(
        model.optimizer.variables, loaded.optimizer.variables, strict=True
    ):
        assert_array_equal(np.array(a.value), np.array(b.value))
    for instance in (model, loaded):  # Both go on alike, weight decay too.
        instance.fit(images, labels, shuffle=False, epochs=1, verbose=0)
    assert_allclose(gate_of(model), gate_of(loaded))


def test_filter_dropout_is_for_the_class_specific_loss_in_training_alone():
    images, labels = tiny_data(32)
    plain = tiny_classifier(filter_dropout=0.0)
    dropped = tiny_classifier(filter_dropout=0.5)
    dropped.set_weights([*plain.get_weights()])
    losses = {}
    for name, model in {"plain": plain, "dropped": dropped}.items():
        model.compile("sgd")
        features = model.features(images)
        for training in (False, True):
            loss, paths = model.compute_dual_path_loss(
                features, labels, training=training
            )
            losses[name, training] = float(loss)
            assert_allclose(
                paths["class_specific_logits"],
                model.class_specific_logits(features),
            )
    assert losses["plain", False] == losses["plain", True]
    assert losses["dropped", False] == losses["plain", False]
    assert losses["dropped", True] != losses["plain", True]


@pytest.mark.parametrize(
    "filters, rate", [(6, 0.0), (8, 0.0), (16, 0.5), (64, 0.7)]
)
def test_filter_dropout_leaves_two_filters_a_class(filters, rate):
    model = CSGClassifier(tiny_backbone(filters), num_classes=4)
    assert model.filter_dropout.rate == pytest.approx(rate)


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
    assert by_name["standard_loss"] == pytest.approx(given["standard_loss"])
    assert by_name["accuracy"] == given["accuracy"]


def test_the_callers_own_gate_scheduler_counts():
    model = tiny_classifier()
    model.compile("sgd")
    images, labels = tiny_data()
    before = gate_of(model)
    frozen = GateScheduler(lambda epoch: PathWeights(1, 0))
    model.fit(images, labels, callbacks=[frozen], verbose=0)
    assert_array_equal(gate_of(model), before)


def test_the_inference_model_is_flat_and_shares_the_weights():
    model = tiny_classifier()
    images, labels = tiny_data(8)
    flat = model.inference_model()
    assert not any(isinstance(layer, keras.Model) for layer in flat.layers)
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    assert_allclose(flat(images), model(images), atol=1e-6)


def test_the_step_is_traced_once():
    model = tiny_classifier(schedule="alternating")
    images, labels = tiny_data(70)  # The last batch is a smaller one.
    model.compile(keras.optimizers.SGD(0.1, 0.9))
    traces = []
    loss = model.compute_dual_path_loss

    def counted(*args):
        traces.append(1)
        return loss(*args)

    model.compute_dual_path_loss = counted
    model.fit(images, labels, batch_size=32, epochs=1, verbose=0)
    assert len(traces) == 1
    model.fit(
        images, labels, batch_size=32, initial_epoch=1, epochs=6, verbose=0
    )
    assert len(traces) == 1


def test_the_gated_path_makes_no_tensor_of_the_maps_size():
    """Not forward, not backward: what it keeps is `(batch, filters)`."""
    tf = pytest.importorskip("tensorflow")
    batch = tuple(tf.constant(array) for array in tiny_data(16))

    def map_tensors(**kwargs):
        model = tiny_classifier(**kwargs)
        model.compile("sgd")
        model.optimizer.build(model.trainable_variables)
        step = tf.function(lambda: model.train_step(batch))
        graph = step.get_concrete_function().graph
        shapes = [
            out.shape for op in graph.get_operations() for out in op.outputs
        ]
        return sum(shape.rank == 4 and shape[0] == 16 for shape in shapes)

    assert map_tensors() == map_tensors(gated=False) > 0


def test_xla_is_the_default_where_there_is_a_gpu(monkeypatch):
    tf = pytest.importorskip("tensorflow")
    cpu = tf.config.list_physical_devices("CPU")
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    model = tiny_classifier()
    for devices, expected in ((cpu, False), ([*cpu, gpu], True)):
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda d=devices: d
        )
        model.compile("sgd")
        assert model.jit_compile is expected


@pytest.mark.parametrize(
    "kwargs, match",
    [
        ({"lambda_1": -1}, "lambda_1=-1"),
        ({"lambda_3": -1}, "lambda_3=-1"),
        ({"filter_dropout": 1.0}, "filter_dropout=1.0"),
        ({"lambda_2": -1}, "lambda_2=-1"),
        ({"density": 2}, "density=2"),
        ({"schedule": "both"}, "schedule='both'"),
        ({"class_names": ["a"]}, "4 names"),
    ],
)
def test_impossible_arguments_are_refused(kwargs, match):
    with pytest.raises(ValueError, match=match):
        tiny_classifier(**kwargs)


def test_a_model_without_a_gate_says_so():
    model = tiny_classifier(gated=False)
    images, labels = tiny_data(2)
    with pytest.raises(ValueError, match="gated=False"):
        model.class_specific_logits(model.features(images))
    with pytest.raises(ValueError, match="gated=False"):
        model(images, labels=labels)


def test_loss_weights_are_refused():
    with pytest.raises(ValueError, match="lambda_1"):
        tiny_classifier().compile("sgd", loss_weights=[1.0])
