"""What constants ask for is summed before a runtime makes it."""

import json

import numpy as np
import pytest

import keras_csg
from keras_csg.deployment.formats.made_tensors import made_bytes
from keras_csg.deployment.formats.onnx_constants import operations_of
from keras_csg.deployment.formats.registry import get_format
from keras_csg.untrusted.limits import VARIABLE
from tests.deployment.trained import trained_classifier, write_as

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
SIDES = [30_000, 30_000, 3]


@pytest.mark.parametrize(
    "kind, operands, expected",
    [
        ("ConstantOfShape", [SIDES], 4 * 30_000**2 * 3),
        ("Fill", [SIDES, [0.0]], 4 * 30_000**2 * 3),
        ("BROADCAST_TO", [None, [10, 20]], 800),
        ("Tile", [None, [7]], 28),
        ("Resize", [None, None, [1.0, 1.0, 2.0, 2.0]], 16),
        ("Resize", [None, None, None, [1, 3, 5, 5]], 300),
        ("Range", [[0], [10**9], [1]], 4 * 10**9),
        ("Range", [[10], [0], [-2]], 20),
        ("Range", [[0], [10], [0]], 0),
        ("Range", [None, [10], [1]], 0),
        ("Pad", [None, [0, 0, 10**9, 0]], 4 * 10**9),
        ("Fill", [[-1, 5]], 0),
        ("Fill", [[float("nan")]], 0),
        ("Conv", [[9] * 9], 0),
        ("Fill", [[]], 0),
        ("Fill", [], 0),
    ],
)
def test_what_is_made_at_least(kind, operands, expected):
    assert made_bytes(kind, operands) == expected


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    return write_as(get_format("onnx"), trained_classifier(), folder / "a.onnx")


def by_initializer(graph, values, dtype="int64"):
    array = onnx.numpy_helper.from_array(np.array(values, dtype), "sides")
    graph.initializer.append(array)


def by_typed_data(graph, values):
    graph.initializer.add(
        name="sides", data_type=7, dims=[len(values)], int64_data=values
    )


def by_constant(graph, values):
    array = onnx.numpy_helper.from_array(np.array(values, "int64"))
    graph.node.insert(
        0, onnx.helper.make_node("Constant", [], ["sides"], value=array)
    )


def by_numbers(graph, values):
    graph.node.insert(
        0, onnx.helper.make_node("Constant", [], ["sides"], value_ints=values)
    )


def with_constant(path, target, values, how, kind="ConstantOfShape"):
    """Writes the model with a tensor that nobody asks for."""
    proto = onnx.load(path)
    (said,) = [p for p in proto.metadata_props if p.key == "keras_csg"]
    plain = json.loads(said.value)
    del plain["digest"]
    said.value = json.dumps(plain)
    made = ["one", "sides"] if kind in ("Expand", "Tile") else ["sides"]
    if len(made) > 1:
        one = np.ones([1] * len(values), "float32")
        proto.graph.initializer.append(onnx.numpy_helper.from_array(one, "one"))
    proto.graph.node.insert(0, onnx.helper.make_node(kind, made, ["big"]))
    how(proto.graph, values)
    target.write_bytes(proto.SerializeToString())
    return target


HOW = [by_initializer, by_typed_data, by_constant, by_numbers]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", ["ConstantOfShape", "Expand", "Tile"])
def test_a_tensor_of_gigabytes_is_not_made(how, kind, path, tmp_path):
    strange = with_constant(path, tmp_path / "b.onnx", SIDES, how, kind)
    with pytest.raises(ValueError) as raised:
        keras_csg.open_exported(strange)
    words = f"{strange} was not opened: it unpacks to 10.1 GiB, and at most"
    assert str(raised.value).startswith(words)
    assert VARIABLE in str(raised.value)


@pytest.mark.parametrize("kind", ["RandomNormal", "RandomUniform"])
def test_nor_is_one_of_random_numbers(kind, path, tmp_path):
    def by_attribute(graph, values):
        del graph.node[0]
        node = onnx.helper.make_node(kind, [], ["big"], shape=values)
        graph.node.insert(0, node)

    strange = with_constant(path, tmp_path / "b.onnx", SIDES, by_attribute)
    with pytest.raises(ValueError, match="unpacks to 10.1 GiB"):
        keras_csg.open_exported(strange)


@pytest.mark.parametrize("how", HOW)
def test_one_of_a_usual_size_is(how, path, tmp_path):
    usual = with_constant(path, tmp_path / "b.onnx", [30, 30, 3], how)
    assert keras_csg.open_exported(usual).metadata.format == "onnx"


def test_operands_are_what_onnx_reads(path):
    """By onnx's own reading of the initializers."""
    proto = onnx.load(path)
    known = {
        t.name: onnx.numpy_helper.to_array(t).ravel().tolist()
        for t in proto.graph.initializer
        if t.data_type in (1, 6, 7)
    }
    found = [*operations_of(memoryview(path.read_bytes()))]
    assert [kind for kind, _ in found] == [n.op_type for n in proto.graph.node]
    compared = 0
    for node, (_, operands) in zip(proto.graph.node, found, strict=True):
        for name, values in zip(node.input, operands, strict=False):
            if values is not None and name in known:
                assert values == known[name]
                compared += 1
    assert compared > 3
