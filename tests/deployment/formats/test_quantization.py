"""Narrower numbers: where they are, what they cost, what is refused."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.testing import assert_allclose, assert_array_equal

import keras_csg
from keras_csg import CSGClassifier
from keras_csg.deployment.formats.litert_graph import (
    Operation,
    Tensor,
    read_operations,
)
from keras_csg.deployment.formats.quantization import convert
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.layers.image_normalization import normalize_images
from tests.tiny import CLASSES, tiny_classifier, tiny_data


@pytest.fixture(scope="module")
def classifier():
    """A gated classifier that tells the four colours apart."""
    keras.utils.set_random_seed(0)
    model = tiny_classifier()
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(*tiny_data(280), batch_size=35, epochs=12, verbose=0)
    return model


@pytest.fixture(scope="module")
def answering(classifier):
    return answering_model(classifier)


@pytest.fixture(scope="module")
def int8(answering):
    return convert(answering, "int8", tiny_data(280)[0])


def run(content, images):
    return Interpreter(model_content=content).get_signature_runner()(
        images=images
    )


def constants(content):
    """Returns the numbers that a model stores, by the tensors' names."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    names = {
        tensor.name
        for operation in read_operations(content)
        for tensor in operation.inputs
        if tensor.constant
    }
    return {
        d["name"]: (interpreter.get_tensor(d["index"]), d)
        for d in interpreter.get_tensor_details()
        if d["name"] in names
    }


def folded_kernel(network):
    """Returns the convolution's kernel with its normalisation inside."""
    kernel = network.get_layer("conv").get_weights()[0]
    norm = network.get_layer("norm")
    gamma, _, _, variance = norm.get_weights()
    return kernel * gamma / np.sqrt(variance + norm.epsilon)


def test_the_backbone_is_integer_and_the_rest_is_not(int8):
    operations = read_operations(int8)
    kinds = [op.kind for op in operations]
    integer = [op.kind for op in operations if op.integer]
    assert integer == ["QUANTIZE", "CONV_2D", "DEQUANTIZE"]
    assert kinds[:4] == [*integer, "MEAN"]


def test_weights_stored_in_8_bits_do_not_make_an_operation_integer():
    for constant in (True, False):
        value = Tensor("value", "int8", 2, constant)
        number = Tensor("number", "float32", 2, False)
        unpacking = Operation("DEQUANTIZE", False, (value,), (number,))
        assert unpacking.integer is not constant
        hybrid = Operation("CONV_2D", False, (number, value), (number,))
        assert not hybrid.integer


def test_normalising_the_images_stays_float():
    images = keras.Input((8, 8, 3), name="images")
    x = normalize_images(images, "torch")
    x = keras.layers.Conv2D(5, 3, activation="relu")(x)
    model = CSGClassifier(keras.Model(images, x), CLASSES)
    content = convert(answering_model(model), "int8", tiny_data(64)[0])
    kinds = [op.kind for op in read_operations(content)]
    before = kinds[: kinds.index("QUANTIZE")]
    assert before and set(before) <= {"MUL", "ADD", "SUB", "DIV"}
    assert kinds[kinds.index("QUANTIZE") + 1] == "CONV_2D"


def test_images_and_answers_keep_their_types(classifier, answering, int8):
    images, _ = tiny_data(3)
    answers = run(int8, images)
    assert answers.keys() == answering.output.keys()
    for name, values in answers.items():
        assert values.dtype == ("int32" if name == "class_id" else "float32")
    whole = answering_model(classifier, ["probabilities"], "uint8")
    calibration = tiny_data(280)[0]  # Of the other type: converted.
    content = convert(whole, "int8", calibration)
    probabilities = run(content, images.astype("uint8"))["probabilities"]
    assert_allclose(probabilities, answers["probabilities"], atol=0.03)


@pytest.mark.parametrize("quantize", ["float16", "dynamic", "int8"])
def test_the_same_class_for_nearly_all_images(quantize, answering, int8):
    images, labels = tiny_data(300, seed=2)
    expected = answering.predict(images, verbose=0)
    assert np.mean(expected["class_id"] == labels) > 0.9
    content = int8 if quantize == "int8" else convert(answering, quantize)
    answers = run(content, images)
    same = answers["class_id"] == expected["class_id"]
    assert same.mean() > 0.98
    for name in ("probabilities", "gate_agreement"):
        assert_allclose(answers[name], expected[name], atol=0.05)
    for name in ("filter_contributions", "evidence", "heatmap"):
        values = expected[name][same]
        size = np.abs(values).max()
        assert_allclose(answers[name][same], values, atol=0.15 * size)


def test_float_answers_of_an_integer_backbone_sum_to_one(int8):
    """A scale of 1/256, which the converter would give them, would not."""
    answers = run(int8, tiny_data(50, seed=3)[0])
    for name in ("probabilities", "class_specific_probabilities"):
        assert_allclose(answers[name].sum(-1), 1, atol=1e-6)
        assert len(np.unique(answers[name])) > 150
    assert_allclose(
        answers["filter_contributions"].sum(-1), answers["evidence"], atol=1e-4
    )


def test_kernels_are_rounded_to_127_steps_of_each_filter(classifier, int8):
    # (3, 3, 3, filters); the converter moved the scaling of images there.
    expected = folded_kernel(classifier.backbone) / 255
    (kernel, details), *others = [
        (values, details)
        for values, details in constants(int8).values()
        if values.dtype == np.int8
    ]
    assert not others
    scales = details["quantization_parameters"]["scales"]
    largest = np.abs(expected).max(axis=(0, 1, 2))
    assert_allclose(scales, largest / 127, rtol=1e-5)
    rounded = kernel.transpose(1, 2, 3, 0) * scales
    assert np.all(np.abs(rounded - expected) <= scales / 2 * 1.001)


def test_half_precision_rounds_the_weights(classifier, answering):
    content = convert(answering, "float16")
    kernel, _ = classifier.head.get_weights()
    halves = [
        values
        for values, _ in constants(content).values()
        if values.dtype == np.float16
    ]
    expected = kernel.T.astype("float16")
    assert any(np.array_equal(half, expected) for half in halves)


def test_maps_of_one_pixel_are_found_as_well():
    keras.utils.set_random_seed(0)
    images = keras.Input((8, 8, 3), name="images")
    x = keras.layers.Conv2D(5, 8, activation="relu")(images)
    model = CSGClassifier(keras.Model(images, x), CLASSES)
    content = convert(answering_model(model), "int8", tiny_data(64)[0])
    integer = [op.kind for op in read_operations(content) if op.integer]
    assert integer == ["QUANTIZE", "CONV_2D", "DEQUANTIZE"]


def test_what_cannot_be_quantised_is_named(answering):
    with pytest.raises(ValueError, match="None or one of float16, dynamic"):
        convert(answering, "int4")
    with pytest.raises(ValueError, match="`quantize='int8'` needs"):
        convert(answering, "int8")
    for shape in ((4, 9, 8, 3), (0, 8, 8, 3), (8, 8, 3)):
        with pytest.raises(ValueError, match=r"\(samples, 8, 8, 3\)"):
            convert(answering, "int8", np.zeros(shape, "float32"))


@pytest.mark.slow
def test_digits_survive_eight_bits():
    keras.utils.set_random_seed(0)
    data = keras_csg.load_data("digits", image_size=16)
    model = keras_csg.build("resnet20", 10, input_shape=(16, 16, 3))
    model.compile(keras.optimizers.SGD(0.1, 0.9))
    ((train, train_labels),) = data.train.batches(2000).as_numpy_iterator()
    model.fit(train, train_labels, batch_size=64, epochs=8, verbose=0)
    answering = answering_model(model)
    ((images, labels),) = data.test.batches(2000).as_numpy_iterator()
    images = images.astype("float32")
    expected = answering.predict(images, verbose=0)["class_id"]
    assert np.mean(expected == labels) > 0.8
    sizes = {}
    for quantize in (None, "float16", "dynamic", "int8"):
        content = convert(answering, quantize, train[:256])
        sizes[quantize] = len(content)
        answers = run(content, images)["class_id"]
        if quantize is None:
            assert_array_equal(answers, expected)
        assert np.mean(answers == expected) > 0.97
        assert np.mean(answers == labels) > np.mean(expected == labels) - 0.02
    assert sizes["float16"] < 0.56 * sizes[None]
    assert sizes["dynamic"] < 0.33 * sizes[None]
    assert sizes["int8"] < 0.33 * sizes[None]
