"""ONNX and LiteRT files with operations and weights from elsewhere."""

import os

import numpy as np
import pytest

import keras_csg
from keras_csg.deployment.formats.litert_graph import custom_operations
from keras_csg.deployment.formats.onnx_properties import NoOnnxError
from keras_csg.deployment.formats.onnx_scan import scan
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.trained import trained_classifier, unsealed, write_as

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    return write_as(get_format("onnx"), trained_classifier(), folder / "a.onnx")


def changed(path, target, change):
    """Writes an ONNX file with another graph."""
    proto = unsealed(onnx.load(path))
    change(proto)
    target.write_bytes(proto.SerializeToString())
    return target


def add_custom(proto):
    proto.opset_import.add(domain="com.strange", version=1)
    proto.graph.node.add(
        op_type="WriteFile",
        domain="com.strange",
        input=["images"],
        output=["x"],
    )


def add_custom_within(proto):
    """In the branch of a condition, where a glance does not reach."""
    node = proto.graph.node.add(op_type="If", input=["c"], output=["y"])
    branch = node.attribute.add(name="then_branch", type=5)
    branch.g.node.add(op_type="Run", domain="com.strange", output=["z"])


def add_function(proto):
    """A function of the file itself has a domain of its own, too."""
    function = proto.functions.add(name="F", domain="local")
    function.node.add(op_type="Call", domain="com.strange", output=["x"])


@pytest.mark.parametrize(
    "change, name",
    [
        (add_custom, "com.strange.WriteFile"),
        (add_custom_within, "com.strange.Run"),
        (add_function, "com.strange.Call"),
    ],
)
def test_operations_of_others_are_refused(change, name, path, tmp_path):
    strange = changed(path, tmp_path / "b.onnx", change)
    with pytest.raises(ValueError, match=f"not opened: it has {name}.*--trust"):
        keras_csg.open_exported(strange)
    # Trusted, it is the runtime that says what it lacks.
    try:
        keras_csg.open_exported(strange, trust=True)
    except ValueError as error:
        assert "ONNX Runtime cannot load" in str(error)
        assert "\n" not in str(error)


def externally(location):
    def change(proto):
        tensor = proto.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = 1
        for key, value in (("location", location), ("length", "4")):
            tensor.external_data.add(key=key, value=value)

    return change


@pytest.mark.parametrize(
    "location, words",
    [
        ("/etc/passwd", "lie outside its folder, in /etc/passwd"),
        ("../secret", "lie outside its folder"),
        ("a/../../secret", "lie outside its folder"),
        ("C:/secret", "lie outside its folder"),
        ("link", "lie outside its folder, in link"),
        ("pipe", "lie in pipe, which is no file"),
        ("*/_ORT_MEM_ADDR_/*", "which is no file"),
        ("missing", "lie in missing, which is no file"),
    ],
)
@pytest.mark.parametrize("trust", [False, True])
def test_weights_from_elsewhere_are_refused(
    location, words, trust, path, tmp_path
):
    (tmp_path / "secret").write_bytes(bytes(10**4))
    folder = tmp_path / "folder"
    folder.mkdir()
    os.symlink("/etc/passwd", folder / "link")
    os.mkfifo(folder / "pipe")
    strange = changed(path, folder / "b.onnx", externally(location))
    with pytest.raises(ValueError, match=f"was not opened: .*{words}"):
        keras_csg.open_exported(strange, trust=trust)


def test_a_scan_sees_what_onnx_sees(path):
    found = scan(path, "keras_csg")
    assert found.foreign == [] and found.files == []
    proto = onnx.load(path)
    before = found.digest
    assert keras_csg.read_metadata(path).digest["model"] == before
    assert len(proto.graph.node) > 5


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_what_is_cut_is_no_onnx_file(share, path, tmp_path):
    content = path.read_bytes()
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(NoOnnxError):
        scan(cut, "keras_csg")


def test_a_message_within_itself_ends(tmp_path):
    """A graph in an attribute of a node of a graph, and so on."""
    graph = onnx.GraphProto()
    for _ in range(60):
        outer = onnx.GraphProto()
        outer.node.add(op_type="If").attribute.add(name="g").g.CopyFrom(graph)
        graph = outer
    path = tmp_path / "deep.onnx"
    model = onnx.ModelProto()
    model.graph.CopyFrom(graph)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(NoOnnxError, match="nested too deep"):
        scan(path, "keras_csg")


def test_custom_operations_of_litert_are_refused(tmp_path, monkeypatch):
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    import flatbuffers

    from keras_csg.deployment.formats import litert

    path = write_as(
        get_format("litert"), trained_classifier(), tmp_path / "a.tflite"
    )
    content = b"".join(litert._graph(path))
    assert custom_operations(content) == set()
    model = schema.ModelT.InitFromPackedBuf(content)
    code = schema.OperatorCodeT()
    code.customCode = b"FlexWriteFile"
    code.builtinCode = code.deprecatedBuiltinCode = 32
    model.operatorCodes.append(code)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    assert custom_operations(bytes(builder.Output())) == {"FlexWriteFile"}
    monkeypatch.setattr(
        litert, "custom_operations", lambda content: {"FlexWriteFile"}
    )
    with pytest.raises(ValueError, match="not opened: it has FlexWriteFile"):
        keras_csg.open_exported(path)
    opened = keras_csg.open_exported(path, trust=True)
    images = np.zeros((1, 8, 8, 3), "float32")
    assert opened.answer(images)["probabilities"].shape == (1, 4)
