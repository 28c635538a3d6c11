import collections
import json

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

import keras_csg
from keras_csg.deployment.formats.onnx import OPSET, OnnxFormat
from keras_csg.deployment.graph.outputs import OUTPUTS
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    signed_backbone,
    some_images,
    trained_classifier,
    unsettle,
    write_as,
)
from tests.tiny import CLASSES, FILTERS


def write(model, path, **kwargs):
    return write_as(OnnxFormat(), model, path, **kwargs)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    return write(model, tmp_path_factory.mktemp("onnx") / "model.onnx")


@pytest.mark.parametrize("samples", [1, 5])
def test_onnx_runtime_answers_by_name(model, path, samples):
    images = some_images(samples)
    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    assert set(names) == set(OUTPUTS)
    values = session.run(names, {"images": images})
    assert_same_answers(
        dict(zip(names, values, strict=True)), answers_by_hand(model, images)
    )


@pytest.mark.parametrize("samples", [1, 5])
def test_openvino_answers_the_same(model, path, samples):
    openvino = pytest.importorskip("openvino")
    compiled = openvino.Core().compile_model(
        path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    images = some_images(samples)
    given = compiled({"images": images})
    assert_same_answers(
        {name: given[name] for name in OUTPUTS},
        answers_by_hand(model, images),
    )


def test_bytes_go_in(model, tmp_path):
    path = write(model, tmp_path / "bytes.onnx", input_dtype="uint8")
    opened = OnnxFormat().open(path)
    images = some_images(dtype="uint8")
    assert_same_answers(opened.answer(images), answers_by_hand(model, images))
    with pytest.raises(ValueError, match="must be uint8"):
        opened.answer(images.astype("float32"))


def test_signed_maps_without_a_gate(tmp_path):
    model = trained_classifier(signed_backbone(), gated=False)
    opened = OnnxFormat().open(write(model, tmp_path / "signed.onnx"))
    assert_same_answers(
        opened.answer(some_images()), answers_by_hand(model, some_images())
    )


def test_the_file_is_valid_and_says_its_shapes(path):
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert [o.version for o in proto.opset_import if not o.domain] == [OPSET]
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in shape(value)]
        for value in [*proto.graph.input, *proto.graph.output]
    }
    assert shapes == {
        "images": ["batch", 8, 8, 3],
        "probabilities": ["batch", CLASSES],
        "class_id": ["batch"],
        "class_specific_probabilities": ["batch", CLASSES],
        "filter_contributions": ["batch", FILTERS],
        "evidence": ["batch"],
        "heatmap": ["batch", 8, 8],
        "gate_agreement": ["batch"],
    }


def shape(value):
    return value.type.tensor_type.shape.dim


def test_a_node_for_each_layer_and_no_table_twice(path):
    graph = onnx.load(path).graph
    kinds = collections.Counter(node.op_type for node in graph.node)
    # The backbone: rescaling, a convolution with all of its normalisation,
    # and the transposition to ONNX's order and back for the heatmap.
    assert kinds["Conv"] == 1
    # The class-specific head's table, rows of which are looked up, and the
    # standard one's, which is turned beforehand.
    assert kinds["Gemm"] == 1 and kinds["MatMul"] == 1
    assert "BatchNormalization" not in kinds
    tables = [list(t.dims) for t in graph.initializer if len(t.dims) == 2]
    assert sorted(tables) == [[CLASSES, FILTERS], [FILTERS, CLASSES]]


def test_plain_probabilities_need_nothing_of_the_gate(model, tmp_path):
    path = write(model, tmp_path / "plain.onnx", outputs=["probabilities"])
    graph = onnx.load(path).graph
    assert [o.name for o in graph.output] == ["probabilities"]
    kinds = {node.op_type for node in graph.node}
    assert not {"Gather", "ArgMax", "ReduceSum", "Div"} & kinds


def test_metadata_lie_where_other_tools_look(model, path):
    properties = {p.key: p.value for p in onnx.load(path).metadata_props}
    assert json.loads(properties["class_names"]) == ["a", "b", "c", "d"]
    assert json.loads(properties["keras_csg"])["backbone"] == "tiny"
    np.testing.assert_array_equal(
        keras_csg.read_metadata(path).gate_matrix,
        np.array(model.gate.gate_matrix),
    )


@pytest.mark.parametrize(
    "images, message",
    [
        (some_images()[0], r"\(batch, 8, 8, 3\).*\(8, 8, 3\)"),
        (some_images(size=9), r"Received: images.shape=\(5, 9, 9, 3\)"),
        (some_images()[:0], r"images.shape=\(0, 8, 8, 3\)"),
        (some_images().astype("float64"), "images.astype.'float32'"),
        (some_images(dtype="uint8"), "Received: images.dtype=uint8"),
    ],
)
def test_other_requests_are_refused(path, images, message):
    with pytest.raises(ValueError, match=message):
        keras_csg.open_exported(path).answer(images)


def test_a_truncated_file_is_refused(path, tmp_path):
    damaged = tmp_path / "damaged.onnx"
    for size in (0, 100, path.stat().st_size - 500):
        damaged.write_bytes(path.read_bytes()[:size])
        with pytest.raises(ValueError, match=r"damaged\.onnx"):
            keras_csg.open_exported(damaged)
        with pytest.raises(ValueError, match=r"damaged\.onnx"):
            keras_csg.read_metadata(damaged)


def test_a_foreign_file_is_refused(path, tmp_path):
    proto = onnx.load(path)
    del proto.metadata_props[:]
    onnx.save(proto, tmp_path / "foreign.onnx")
    (tmp_path / "text.onnx").write_text("not a model\n" * 9)
    with pytest.raises(ValueError, match=r"foreign\.onnx .* keras_csg"):
        keras_csg.open_exported(tmp_path / "foreign.onnx")
    with pytest.raises(ValueError, match=r"text\.onnx is no ONNX file"):
        keras_csg.open_exported(tmp_path / "text.onnx")


def test_a_missing_runtime_is_named(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(ValueError, match="pip install onnxruntime"):
        keras_csg.open_exported(path)


def test_tensors_that_are_no_weights_become_constants(tmp_path):
    constant = keras.ops.convert_to_tensor(np.full((1, 1, 1, 3), 2.0, "f"))

    class Held(keras.layers.Layer):
        def call(self, images):
            return images * constant

    images = keras.Input((8, 8, 3))
    model = trained_classifier(keras.Model(images, Held()(images)))
    path = write(model, tmp_path / "held.onnx")
    (given,) = onnx.load(path).graph.input
    assert given.name == "images"
    assert_same_answers(
        keras_csg.open_exported(path).answer(some_images()),
        answers_by_hand(model, some_images()),
    )


def test_an_operation_that_onnx_has_not_is_refused(tmp_path):
    class Erfinv(keras.layers.Layer):
        def call(self, images):
            import tensorflow as tf

            return tf.math.erfinv(images / 256)

    images = keras.Input((8, 8, 3))
    model = trained_classifier(keras.Model(images, Erfinv()(images)))
    with pytest.raises(ValueError, match="cannot be exported to ONNX.*Erfinv"):
        write(model, tmp_path / "erfinv.onnx")
    assert not list(tmp_path.iterdir())


def test_writing_prints_nothing(model, tmp_path, capfd):
    write(model, tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, affine", [("resnet20", 1), ("mobilenetv2", 1), ("resnet18", 1)]
)
def test_no_normalisation_is_left_in_real_networks(name, affine, tmp_path):
    model = keras_csg.build(name, CLASSES, input_shape=(32, 32, 3))
    unsettle(model)
    path = write(model, tmp_path / "m.onnx", outputs=["probabilities"])
    graph = onnx.load(path).graph
    constants = {t.name for t in graph.initializer}
    # What is left scales the images.
    left = [
        node
        for node in graph.node
        if node.op_type in ("Mul", "BatchNormalization")
        and constants & set(node.input)
    ]
    assert len(left) <= affine
