"""Narrow numbers in ONNX files: where they are, and what they cost."""

import collections

import keras
import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from onnx import numpy_helper

from keras_csg import CSGClassifier
from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats.onnx import OnnxFormat
from keras_csg.deployment.formats.onnx_parts import backbone_nodes, name_nodes
from keras_csg.deployment.formats.onnx_quantization import (
    integer_nodes,
    store_halves,
)
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.layers.image_normalization import normalize_images
from tests.deployment.trained import some_images, trained_classifier, unsealed
from tests.tiny import CLASSES, tiny_classifier, tiny_data


@pytest.fixture(scope="module")
def classifier():
    """A gated classifier that tells the four colours apart."""
    keras.utils.set_random_seed(0)
    model = tiny_classifier()
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(*tiny_data(280), batch_size=35, epochs=12, verbose=0)
    return model


def write(model, path, quantize=None, calibration=None, **kwargs):
    answering = answering_model(model, **kwargs)
    metadata = describe(model, answering, "onnx", quantize)
    OnnxFormat().write(
        answering, metadata, path, quantize=quantize, calibration=calibration
    )
    return path


@pytest.fixture(scope="module")
def paths(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    calibration = tiny_data(280)[0]
    return {
        kind: write(classifier, folder / f"{kind}.onnx", kind, calibration)
        for kind in (None, "float16", "int8")
    }


def answers(path, images):
    return OnnxFormat().open(path).answer(images)


def constants(path):
    graph = onnx.load(path).graph
    return {t.name: numpy_helper.to_array(t) for t in graph.initializer}


def backbone_with(body):
    images = keras.Input((8, 8, 3), name="images")
    x = normalize_images(images, "torch")
    x = keras.layers.Conv2D(6, 3, padding="same")(x)
    return CSGClassifier(keras.Model(images, body(x)), CLASSES)


def test_the_backbone_is_from_the_first_convolution_to_the_maps(paths):
    graph = onnx.load(paths[None]).graph
    assert [n.op_type for n in backbone_nodes(graph)] == ["Conv", "Relu"]


def test_branches_and_what_makes_one_pixel_are_backbone(tmp_path):
    def body(x):
        left = keras.layers.Conv2D(4, 3, padding="same")(x)
        right = keras.layers.MaxPooling2D(3, 1, padding="same")(x)
        x = keras.layers.Concatenate()([left, right])
        scale = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
        scale = keras.layers.Conv2D(10, 1, activation="sigmoid")(scale)
        x = keras.layers.Multiply()([x, scale])
        return keras.layers.Conv2D(5, 8, activation="relu")(x)

    path = write(backbone_with(body), tmp_path / "m.onnx")
    graph = onnx.load(path).graph
    kinds = collections.Counter(n.op_type for n in backbone_nodes(graph))
    assert kinds["Conv"] == 4
    assert kinds["Concat"] == kinds["MaxPool"] == kinds["Sigmoid"] == 1
    assert not {"Softmax", "ReduceSum", "Gather", "Div"} & set(kinds)
    means = kinds["GlobalAveragePool"] + kinds["ReduceMean"]
    assert means == 1  # That of the scale, not that of the maps.


def test_nodes_get_names_of_their_own(paths):
    graph = onnx.load(paths[None]).graph
    for node in graph.node[:3]:
        node.name = "same"
    name_nodes(graph)
    names = [node.name for node in graph.node]
    assert names[0] == "same" and len(set(names)) == len(names)


def test_halves_are_the_rounded_weights_computed_with_in_float32(
    paths, tmp_path
):
    """Beside the float32 file, whose weights are rounded by hand."""
    proto = unsealed(onnx.load(paths[None]))
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1 and values.size >= 64:
            values = values.astype("float16").astype("float32")
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(proto, tmp_path / "rounded.onnx")
    images, _ = tiny_data(20)
    expected = answers(tmp_path / "rounded.onnx", images)
    given = answers(paths["float16"], images)
    for name, values in expected.items():
        assert_array_equal(given[name], values, err_msg=name)
    assert not np.array_equal(
        given["evidence"], answers(paths[None], images)["evidence"]
    )


def test_halves_are_a_convolutions_kernel_and_no_vector(classifier, paths):
    kinds = {
        values.ndim: values.dtype
        for values in constants(paths["float16"]).values()
        if values.dtype.kind == "f" and values.size >= 6
    }
    assert kinds[4] == np.float16 and kinds[1] == np.float32


def test_a_weight_beyond_half_precision_stays_whole():
    values = {"small": np.ones((8, 8)), "large": np.full((8, 8), 1e5)}
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["small", "large"], ["product"])],
        "graph",
        [],
        [onnx.helper.make_tensor_value_info("product", 1, (8, 8))],
        [numpy_helper.from_array(v.astype("f"), k) for k, v in values.items()],
    )
    store_halves(graph)
    types = {t.name: t.data_type for t in graph.initializer}
    assert types == {
        "small_half": onnx.TensorProto.FLOAT16,
        "large": onnx.TensorProto.FLOAT,
    }
    model = onnx.helper.make_model(graph)
    onnx.checker.check_model(model, full_check=True)


def test_the_backbone_alone_computes_in_8_bits(paths):
    graph = onnx.load(paths["int8"]).graph
    kinds = [node.op_type for node in graph.node]
    first = kinds.index("QuantizeLinear")
    pixels = {"Mul", "Add", "Transpose", "DequantizeLinear"}
    assert "Mul" in kinds[:first] and set(kinds[:first]) <= pixels
    # Into the convolution and out of it: ReLU is the scale's lower end.
    assert kinds.count("QuantizeLinear") == 2
    last = len(kinds) - 1 - kinds[::-1].index("QuantizeLinear")
    assert "Softmax" in kinds[last:] and "Conv" not in kinds[last:]
    assert "Softmax" not in kinds[:last]


def test_kernels_have_a_scale_for_each_filter(classifier, paths):
    kernel = classifier.backbone.get_layer("conv").get_weights()[0]
    norm = classifier.backbone.get_layer("norm")
    gamma, _, _, variance = norm.get_weights()
    kernel = kernel * gamma / np.sqrt(variance + norm.epsilon)
    stored = constants(paths["int8"])
    (name,) = [
        n for n, v in stored.items() if v.dtype == np.int8 and v.ndim > 1
    ]
    scales = stored[name.replace("quantized", "scale")]
    assert_allclose(scales, np.abs(kernel).max(axis=(0, 1, 2)) / 127, rtol=1e-2)
    rounded = stored[name].transpose(2, 3, 1, 0) * scales
    assert np.all(np.abs(rounded - kernel) <= scales * 0.51)


def test_answers_keep_their_types_and_probabilities_their_sum(paths):
    given = answers(paths["int8"], tiny_data(50, seed=3)[0])
    for name, values in given.items():
        assert values.dtype == ("int32" if name == "class_id" else "float32")
    for name in ("probabilities", "class_specific_probabilities"):
        assert_allclose(given[name].sum(-1), 1, atol=1e-6)
    assert_allclose(
        given["filter_contributions"].sum(-1), given["evidence"], atol=1e-4
    )


@pytest.mark.parametrize("quantize", ["float16", "int8"])
def test_the_same_class_for_nearly_all_images(quantize, paths):
    images, labels = tiny_data(300, seed=2)
    expected = answers(paths[None], images)
    assert np.mean(expected["class_id"] == labels) > 0.9
    given = answers(paths[quantize], images)
    same = given["class_id"] == expected["class_id"]
    assert same.mean() > 0.98
    for name in ("probabilities", "gate_agreement"):
        assert_allclose(given[name], expected[name], atol=0.05)
    for name in ("filter_contributions", "evidence", "heatmap"):
        size = np.abs(expected[name]).max()
        assert_allclose(
            given[name][same], expected[name][same], atol=0.15 * size
        )


def test_bytes_go_into_8_bits_too(classifier, paths, tmp_path):
    calibration = tiny_data(280)[0]  # Of the other type: converted.
    path = write(
        classifier,
        tmp_path / "m.onnx",
        "int8",
        calibration,
        input_dtype="uint8",
    )
    images = tiny_data(5)[0].astype("uint8")
    assert_allclose(
        answers(path, images)["probabilities"],
        answers(paths["int8"], images.astype("float32"))["probabilities"],
        atol=0.03,
    )


def test_a_layer_normalisation_stays_float(tmp_path):
    def body(x):
        x = keras.layers.LayerNormalization()(x)
        x = keras.layers.Conv2D(6, 3, activation="relu")(x)
        return keras.layers.Conv2D(6, 3)(x)

    graph = onnx.load(write(backbone_with(body), tmp_path / "m.onnx")).graph
    chosen = collections.Counter(n.op_type for n in integer_nodes(graph))
    transposes = chosen.pop("Transpose", 0)
    assert chosen == {"Conv": 3, "Relu": 1} and transposes <= 2
    assert len(backbone_nodes(graph)) > 8 + transposes


def test_writing_in_8_bits_prints_nothing(classifier, tmp_path, capfd):
    write(classifier, tmp_path / "m.onnx", "int8", tiny_data(40)[0])
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_missing_calibration_is_named(tmp_path):
    model = trained_classifier()
    with pytest.raises(ValueError, match="`quantize='int8'` needs"):
        write(model, tmp_path / "m.onnx", "int8")
    with pytest.raises(ValueError, match=r"\(samples, 8, 8, 3\)"):
        write(model, tmp_path / "m.onnx", "int8", some_images(size=9))
    assert not list(tmp_path.iterdir())


def test_older_processors_are_asked_to_be_exact(paths):
    session = OnnxFormat().open(paths["int8"])._session
    entry = session.get_session_options().get_session_config_entry
    assert entry("session.x64quantprecision") == "1"
