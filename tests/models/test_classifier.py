import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGClassifier
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
            ("/".join(v.path.split("/")[-2:]), v.shape)
            for v in model.trainable_weights
        ]

    gate = ("gate/gate_matrix", (CLASSES, FILTERS))
    assert shapes(gated) == [*shapes(standard), gate]


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
    assert loaded.filter_dropout == 0.25
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
    "filters, rate", [(6, 0.0), (8, 0.0), (16, 0.5), (64, 0.5)]
)
def test_filter_dropout_leaves_two_filters_a_class(filters, rate):
    model = CSGClassifier(tiny_backbone(filters), num_classes=4)
    assert model.filter_dropout == pytest.approx(rate)


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
