"""The same network is the same file, so that digests tell files apart."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from keras_csg.deployment.formats.onnx_graph import number_names

WRITE = """
import pathlib, sys
from keras_csg.training.opening import open_run
from tests.deployment.trained import some_images
from keras_csg.deployment import answering_model
from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats.registry import get_format
model = open_run("weights:cifar10").load_model()
answering = answering_model(model)
for name, quantize, path in eval(sys.argv[1]):
    get_format(name).write(
        answering,
        describe(model, answering, name, quantize),
        pathlib.Path(path),
        quantize=quantize,
        calibration=some_images(8, size=32),
    )
"""


def graph_numbered(first, second, third):
    """`images` twice times a table, as tf2onnx may number what it makes."""
    tables = [
        numpy_helper.from_array(np.full((2, 2), value, "float32"), name)
        for value, name in ((1, first), (2, second))
    ]
    nodes = [
        helper.make_node("MatMul", ["images", first], [f"{third}:0"], third),
        helper.make_node("MatMul", [f"{third}:0", second], ["answer"], "last"),
    ]
    shape = {"elem_type": TensorProto.FLOAT, "shape": [None, 2]}
    return helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("images", **shape)],
        [helper.make_tensor_value_info("answer", **shape)],
        tables if first < second else tables[::-1],
        value_info=[helper.make_tensor_value_info(f"{third}:0", **shape)],
    )


def test_what_was_numbered_by_chance_is_numbered_by_its_place():
    graphs = [
        graph_numbered("fold__7", "fold__9", "MatMul__3"),
        graph_numbered("fold__12", "fold__11", "MatMul__40"),
    ]
    for graph in graphs:
        number_names(graph)
        onnx.checker.check_model(helper.make_model(graph), full_check=True)
    assert graphs[0] == graphs[1]
    (graph, _) = graphs
    assert [node.name for node in graph.node] == ["MatMul__0", "last"]
    assert list(graph.node[1].output) == ["answer"]
    tables = {t.name: numpy_helper.to_array(t)[0, 0] for t in graph.initializer}
    assert [tables[node.input[1]] for node in graph.node] == [1, 2]


def test_nodes_stand_as_the_outputs_need_them():
    """However they came: the first output first, its first input first."""

    def graph_of(order):
        nodes = {
            "left": helper.make_node("Neg", ["images"], ["l"], "left"),
            "right": helper.make_node("Abs", ["images"], ["r"], "right"),
            "sum": helper.make_node("Add", ["l", "r"], ["answer"], "sum"),
            "other": helper.make_node("Exp", ["r"], ["second"], "other"),
            "dead": helper.make_node("Exp", ["l"], ["nowhere"], "dead"),
        }
        images, *answers = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2])
            for name in ("images", "answer", "second")
        )
        return helper.make_graph(
            [nodes[n] for n in order], "graph", [images], answers
        )

    for order in ("left right sum other dead", "right other left dead sum"):
        graph = graph_of(order.split())
        number_names(graph)
        names = [node.name for node in graph.node]
        assert names == ["left", "right", "sum", "other"]
        onnx.checker.check_model(helper.make_model(graph), full_check=True)


def test_what_inner_graphs_take_is_found():
    inner = helper.make_graph(
        [helper.make_node("Identity", ["fold__7"], ["inside"])],
        "inner",
        [],
        [helper.make_tensor_value_info("inside", TensorProto.FLOAT, [1])],
    )
    node = helper.make_node(
        "If", ["which"], ["answer"], then_branch=inner, else_branch=inner
    )
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("which", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(np.ones(1, "float32"), "fold__7")],
    )
    number_names(graph)
    assert [tensor.name for tensor in graph.initializer] == ["constant_0"]
    onnx.checker.check_model(helper.make_model(graph), full_check=True)


@pytest.mark.slow
def test_the_same_network_is_the_same_bytes(tmp_path):
    """Of a trained one: where both heads are equal, either gives its name."""
    pytest.importorskip("openvino")
    kinds = [("onnx", None), ("onnx", "float16"), ("onnx", "int8")]
    kinds += [("litert", None), ("litert", "int8")]
    kinds += [("openvino", None), ("openvino", "int8")]
    found = []
    for seed in "12":
        paths = [tmp_path / f"{seed}-{n}-{quantize}" for n, quantize in kinds]
        given = [(*k, str(p)) for k, p in zip(kinds, paths, strict=True)]
        subprocess.run(
            [sys.executable, "-c", WRITE, repr(given)],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        found.append([digest_of(path) for path in paths])
    assert found[0] == found[1]


def digest_of(path):
    """Returns the SHA-256 of each file at a path."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
