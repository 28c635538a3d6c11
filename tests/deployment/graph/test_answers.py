import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg import CSGClassifier, build
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.deployment.graph.outputs import OUTPUTS
from keras_csg.layers import ImageNormalization, freeze_statistics
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    signed_backbone,
    some_images,
    trained_classifier,
    unsettle,
)
from tests.tiny import CLASSES, FILTERS, tiny_backbone


def answers(model, images, **kwargs):
    return answering_model(model, **kwargs).predict_on_batch(images)


@pytest.mark.parametrize("backbone", [tiny_backbone, signed_backbone])
def test_answers_are_those_worked_out_by_hand(backbone):
    model = trained_classifier(backbone())
    images = some_images(20)
    given = answers(model, images)
    assert list(given) == list(OUTPUTS)
    assert_same_answers(
        given, {n: answers_by_hand(model, images)[n] for n in OUTPUTS}
    )
    assert given["class_id"].dtype == np.int32
    assert len(set(given["class_id"])) > 1  # Or the rows prove little.


def test_two_filters_share_a_logit_as_the_sum_says():
    # The image is its own feature map: features 3, 1 and 0.
    images = keras.Input((1, 1, 3))
    network = keras.Model(images, keras.layers.ReLU()(images))
    model = CSGClassifier(network, 2)
    kernel = [[2.0, 0.0], [-2.0, 0.0], [5.0, 0.0]]
    model.head.set_weights([np.array(kernel), np.array([0.0, 3.0])])
    model.gate.gate_matrix.assign([[1.0, 0.5, 1.0], [0.0, 1.0, 1.0]])
    given = answers(model, np.array([[[[3.0, 1.0, 0.0]]]], "float32"))
    # Logits 6 - 2 = 4 and 3; with the gate 6 - 1 = 5 and 3.
    assert_allclose(
        given["probabilities"], [[1 / (1 + np.exp(-1)), 1 / (1 + np.e)]]
    )
    assert_allclose(given["filter_contributions"], [[6.0, -1.0, 0.0]])
    assert_allclose(given["evidence"], [5.0])
    assert_allclose(given["gate_agreement"], [1 / (1 + np.exp(-2))], rtol=1e-6)
    assert_allclose(given["heatmap"], [[[1.0]]])


def test_contributions_sum_to_the_logit_without_its_bias():
    model, images = trained_classifier(), some_images()
    given = answers(model, images)
    assert_allclose(
        given["filter_contributions"].sum(-1), given["evidence"], rtol=1e-5
    )
    specific = np.asarray(model.class_specific_logits(model.features(images)))
    _, bias = model.head.get_weights()
    rows = np.arange(len(images)), given["class_id"]
    logits = specific[rows] - bias[given["class_id"]]
    assert_allclose(given["evidence"], logits, rtol=1e-4)


def test_a_shift_of_all_logits_changes_no_evidence_without_a_gate():
    """The same network by other weights: each filter's and the bias moved."""
    model, images = trained_classifier(gated=False), some_images()
    before = answers(model, images)
    kernel, bias = model.head.get_weights()
    moved = np.linspace(-3, 3, len(kernel))[:, None]
    model.head.set_weights([kernel + moved, bias + 5])
    after = answers(model, images)
    assert_same_answers(after, before, atol=1e-4)
    # Over all classes it comes to nothing, so the likeliest has some.
    logits = np.asarray(model(images)) - bias - 5
    rows = np.arange(len(images)), after["class_id"]
    expected = logits[rows] - logits.mean(axis=-1)
    assert_allclose(after["evidence"], expected, atol=1e-4)


def test_without_evidence_shares_and_heatmap_are_zero():
    model = trained_classifier()
    kernel, bias = model.head.get_weights()
    model.head.set_weights([0 * kernel, bias])
    given = answers(model, some_images())
    assert not given["filter_contributions"].any()
    assert not given["heatmap"].any()
    assert_allclose(given["probabilities"].sum(axis=-1), 1, rtol=1e-6)


def test_without_a_gate_it_answers_what_needs_none():
    model = trained_classifier(gated=False)
    given = answers(model, some_images())
    assert_same_answers(given, answers_by_hand(model, some_images()))
    assert "gate_agreement" not in given


def test_mixed_precision_is_left_behind():
    images = some_images()
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = trained_classifier()
    answering = answering_model(model)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert {layer.compute_dtype for layer in answering.layers} == {"float32"}
    keras.config.set_dtype_policy("float32")
    exact = trained_classifier()
    exact.set_weights(model.get_weights())
    assert_same_answers(
        answering.predict_on_batch(images), answers_by_hand(exact, images)
    )


def test_it_takes_bytes_too():
    model = trained_classifier()
    images = some_images(dtype="uint8")
    answering = answering_model(model, input_dtype="uint8")
    assert answering.inputs[0].dtype == "uint8"
    assert_same_answers(
        answering.predict_on_batch(images), answers_by_hand(model, images)
    )


def test_only_what_is_asked_for_comes_out_and_is_built():
    answering = answering_model(trained_classifier(), ["probabilities"])
    assert list(answering.output) == ["probabilities"]
    assert answering.layers[-1].name == "standard_head"


def test_normalisation_goes_into_the_convolution_before_it():
    answering = answering_model(trained_classifier())
    names = [layer.name for layer in answering.layers]
    assert "norm" not in names
    assert answering.get_layer("conv").use_bias


@pytest.mark.parametrize("layer", ["depthwise", "separable", "grouped"])
def test_every_sort_of_convolution_takes_its_normalisation(layer):
    convolution = {
        "depthwise": keras.layers.DepthwiseConv2D(3, depth_multiplier=2),
        "separable": keras.layers.SeparableConv2D(6, 3, depth_multiplier=2),
        "grouped": keras.layers.Conv2D(6, 3, groups=3, dilation_rate=2),
    }[layer]
    images = keras.Input((8, 8, 3))
    maps = keras.layers.BatchNormalization()(convolution(images))
    model = trained_classifier(keras.Model(images, maps))
    pixels = some_images() / 255
    given = answers(model, pixels)
    assert_same_answers(given, answers_by_hand(model, pixels))


def test_a_normalisation_with_frozen_statistics_is_folded_too():
    model = trained_classifier(freeze_statistics(tiny_backbone()))
    answering = answering_model(model)
    names = {type(layer).__name__ for layer in answering.layers}
    assert not {name for name in names if "BatchNormalization" in name}
    assert_same_answers(
        answering.predict_on_batch(some_images()),
        answers_by_hand(model, some_images()),
    )


def test_a_normalisation_stays_where_its_input_is_used_elsewhere():
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(FILTERS, 3)(images)
    y = keras.layers.BatchNormalization(name="norm")(x)
    model = trained_classifier(keras.Model(images, keras.layers.Add()([x, y])))
    pixels = some_images() / 255
    answering = answering_model(model)
    assert "norm" in [layer.name for layer in answering.layers]
    assert_same_answers(
        answering.predict_on_batch(pixels), answers_by_hand(model, pixels)
    )


def test_gelu_and_given_normalisation_are_computed_otherwise_but_the_same():
    images = keras.Input((8, 8, 3))
    x = keras.layers.Normalization(
        mean=[100.0, 110.0, 120.0], variance=[900.0, 1600.0, 2500.0]
    )(images)
    x = keras.layers.Conv2D(FILTERS, 3, activation="gelu")(x)
    model = trained_classifier(
        keras.Model(images, keras.layers.Activation("gelu")(x))
    )
    given = answers(model, some_images())
    assert_same_answers(given, answers_by_hand(model, some_images()))


def test_a_real_network_keeps_its_logits():
    model = build("resnet20", CLASSES, input_shape=(16, 16, 3))
    unsettle(model)
    images = some_images(size=16)
    given = answers(model, images, outputs=["probabilities", "heatmap"])
    expected = answers_by_hand(model, images)
    assert_same_answers(
        given, {n: expected[n] for n in ("probabilities", "heatmap")}, 1e-4
    )


def test_it_can_be_saved_and_loaded(tmp_path):
    answering = answering_model(trained_classifier())
    answering.save(tmp_path / "answers.keras")
    loaded = keras.saving.load_model(tmp_path / "answers.keras")
    assert_same_answers(
        loaded.predict_on_batch(some_images()),
        answering.predict_on_batch(some_images()),
    )


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"outputs": ["logits"]}, "out of probabilities.*outputs=logits"),
        ({"outputs": []}, "`outputs` must be out of"),
        ({"input_dtype": "int8"}, "`input_dtype` must be one of"),
    ],
)
def test_what_it_does_not_have_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        answering_model(trained_classifier(), **kwargs)


def test_gate_answers_of_a_model_without_one_are_refused():
    with pytest.raises(ValueError, match="of a model without a gate"):
        answering_model(trained_classifier(gated=False), ["gate_agreement"])


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="must be a `CSGClassifier`"):
        answering_model(tiny_backbone())


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_images_are_normalised_as_in_training(mode):
    images = keras.Input((8, 8, 3))
    x = ImageNormalization(mode, dtype="float32")(images)
    x = keras.layers.Conv2D(FILTERS, 3)(x)
    model = trained_classifier(keras.Model(images, x))
    expected = answers_by_hand(model, some_images())
    assert_same_answers(answers(model, some_images()), expected)
