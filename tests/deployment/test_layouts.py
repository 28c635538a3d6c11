"""Model folders, checked against Triton's own schema of `config.pbtxt`."""

import functools

import numpy as np
import pytest
from google.protobuf import text_format

import keras_csg
from keras_csg.deployment import Metadata, layouts
from keras_csg.deployment.formats.saved_model import EXPLAIN
from tests.tiny import CLASSES, FILTERS, tiny_classifier

NAMES = ['a "b"', "c\\d", "e\nf", "gé"]


def metadata(format="onnx", dtype="float32", **changes):
    values = {
        "format": format,
        "backbone": "tiny",
        "class_names": NAMES,
        "input": {
            "name": "images",
            "shape": (None, 8, 9, 3),
            "dtype": dtype,
            "range": [0, 255],
            "color": "RGB",
            "layout": "NHWC",
        },
        "outputs": {
            name: ""
            for name in (
                "probabilities",
                "class_id",
                "class_specific_probabilities",
                "filter_contributions",
                "evidence",
                "heatmap",
                "gate_agreement",
            )
        },
        "gate_matrix": np.ones((4, 6), "float32"),
        "filter_classes": [0] * 6,
    }
    return Metadata(**values | changes)


@functools.cache
def schema():
    return pytest.importorskip(
        "tritonclient.grpc.model_config_pb2",
        reason="Triton's schema is tritonclient's: `make test-triton`",
    )


def parse(text):
    """Reads a config as Triton does: an unknown field is an error."""
    return text_format.Parse(text, schema().ModelConfig())


def tensors(described):
    return {
        t.name: (schema().DataType.Name(t.data_type), list(t.dims))
        for t in described
    }


def test_onnx_config_describes_every_tensor_without_the_batch_axis():
    shapes = {"heatmap": (None, 4, 5)}
    config = parse(layouts.triton_config("onnx", metadata(), "birds", shapes))
    assert config.name == "birds"
    assert config.platform == "onnxruntime_onnx"
    assert config.max_batch_size == layouts.MAX_BATCH_SIZE > 1
    assert tensors(config.input) == {"images": ("TYPE_FP32", [8, 9, 3])}
    assert tensors(config.output) == {
        "probabilities": ("TYPE_FP32", [4]),
        "class_id": ("TYPE_INT32", [1]),
        "class_specific_probabilities": ("TYPE_FP32", [4]),
        "filter_contributions": ("TYPE_FP32", [6]),
        "evidence": ("TYPE_FP32", [1]),
        "heatmap": ("TYPE_FP32", [4, 5]),
        "gate_agreement": ("TYPE_FP32", [1]),
    }
    assert {t.name: t.label_filename for t in config.output} == {
        "probabilities": "labels.txt",
        "class_id": "",
        "class_specific_probabilities": "labels.txt",
        "filter_contributions": "",
        "evidence": "",
        "heatmap": "",
        "gate_agreement": "",
    }
    assert not config.parameters


def test_requests_that_wait_are_joined_for_a_moment():
    batching = parse(
        layouts.triton_config("onnx", metadata(), "m")
    ).dynamic_batching
    sizes = list(batching.preferred_batch_size)
    assert sizes == sorted(sizes) and 1 < sizes[0]
    assert sizes[-1] == layouts.MAX_BATCH_SIZE
    assert 0 < batching.max_queue_delay_microseconds < 10_000


def test_there_is_a_copy_for_each_gpu_or_for_the_processor():
    config = parse(layouts.triton_config("onnx", metadata(), "m"))
    (group,) = config.instance_group
    kinds = schema().ModelInstanceGroup.Kind
    assert (group.count, kinds.Name(group.kind)) == (1, "KIND_AUTO")


@pytest.mark.parametrize(
    ("shape", "dims"),
    [((None, 8, 9, 3), [8, 9, 3]), ((None, None, 9, 3), [224, 9, 3])],
)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_the_model_computes_before_it_is_ready(shape, dims, dtype):
    described = metadata(dtype=dtype)
    described.input["shape"] = shape
    config = parse(layouts.triton_config("onnx", described, "m"))
    assert [w.batch_size for w in config.model_warmup] == [1, 64]
    assert len({w.name for w in config.model_warmup}) == 2
    kind = {"float32": "TYPE_FP32", "uint8": "TYPE_UINT8"}[dtype]
    for warm_up in config.model_warmup:
        (given,) = warm_up.inputs.items()
        assert given[0] == "images" and given[1].zero_data
        assert list(given[1].dims) == dims
        assert schema().DataType.Name(given[1].data_type) == kind


def test_one_value_an_image_is_reshaped_to_what_the_model_gives():
    config = parse(layouts.triton_config("onnx", metadata(), "m"))
    reshaped = {
        t.name: list(t.reshape.shape)
        for t in config.output
        if t.HasField("reshape")
    }
    assert reshaped == {"class_id": [], "evidence": [], "gate_agreement": []}


def test_sizes_nobody_knows_are_left_open():
    ungated = metadata(gate_matrix=None, filter_classes=None)
    config = parse(layouts.triton_config("onnx", ungated, "m"))
    found = tensors(config.output)
    assert found["heatmap"] == ("TYPE_FP32", [-1, -1])
    assert found["filter_contributions"] == ("TYPE_FP32", [-1])


def test_uint8_images_are_said_to_be_such():
    config = parse(layouts.triton_config("onnx", metadata(dtype="uint8"), "m"))
    assert tensors(config.input) == {"images": ("TYPE_UINT8", [8, 9, 3])}


def test_saved_model_config_names_the_signature_with_all_outputs():
    described = metadata("saved_model")
    config = parse(layouts.triton_config("saved_model", described, "m"))
    assert config.platform == "tensorflow_savedmodel"
    signature = config.parameters["TF_SIGNATURE_DEF"].string_value
    assert signature == EXPLAIN


@pytest.mark.parametrize("name", ['b"i', "b\\i", "b\ni", "bé"])
def test_any_name_survives(name):
    assert parse(layouts.triton_config("onnx", metadata(), name)).name == name


def test_schema_refuses_an_unknown_field():
    text = layouts.triton_config("onnx", metadata(), "m")
    with pytest.raises(text_format.ParseError, match="max_batch"):
        parse(text.replace("max_batch_size", "max_batch"))
    with pytest.raises(text_format.ParseError, match="label_file"):
        parse(text.replace("label_filename", "label_file"))


def test_triton_folder_has_config_and_a_label_a_line(tmp_path):
    place = layouts.arrange("triton", "onnx", tmp_path, metadata())
    assert place == tmp_path / "1" / "model.onnx"
    assert place.parent.is_dir() and not place.exists()
    text = (tmp_path / "config.pbtxt").read_text("utf-8")
    assert parse(text).name == tmp_path.name
    labels = (tmp_path / "labels.txt").read_text("utf-8")
    assert labels == 'a "b"\nc\\d\ne f\ngé\n'


def test_triton_looks_for_a_saved_model_in_a_folder_of_its_own(tmp_path):
    described = metadata("saved_model")
    place = layouts.arrange("triton", "saved_model", tmp_path, described)
    assert place == tmp_path / "1" / "model.savedmodel"


def test_tensorflow_serving_folder_is_the_version_alone(tmp_path):
    described = metadata("saved_model")
    place = layouts.arrange("tfserving", "saved_model", tmp_path, described)
    assert place == tmp_path / "1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "layout, format, message",
    [
        ("torchserve", "onnx", "triton, tfserving.*'torchserve'"),
        ("triton", "litert", "onnx or saved_model.*'litert'"),
        ("tfserving", "onnx", "format saved_model.*'onnx'"),
    ],
)
def test_layouts_refuse_what_they_cannot_hold(
    tmp_path, layout, format, message
):
    with pytest.raises(ValueError, match=message):
        layouts.arrange(layout, format, tmp_path, metadata(format))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("gated", [True, False])
def test_exported_triton_folder_describes_the_model_in_it(tmp_path, gated):
    import onnxruntime

    schema()
    path = tmp_path / "birds"
    model = tiny_classifier(gated=gated)
    keras_csg.export(model, path, layout="triton")
    config = parse((path / "config.pbtxt").read_text())
    assert config.name == "birds"
    session = onnxruntime.InferenceSession(path / "1" / "model.onnx")
    assert tensors(config.input) == {"images": ("TYPE_FP32", [8, 8, 3])}
    inside = {t.name: t.shape[1:] for t in session.get_outputs()}
    found = tensors(config.output)
    assert {name: dims for name, (_, dims) in found.items()} == {
        name: dims or [1] for name, dims in inside.items()
    }
    assert found["heatmap"][1] == [8, 8]
    assert found["filter_contributions"][1] == [FILTERS]
    labels = (path / "labels.txt").read_text().splitlines()
    assert labels == [str(number) for number in range(CLASSES)]


def test_exported_tensorflow_serving_folder_holds_the_signatures(tmp_path):
    import tensorflow as tf

    path = tmp_path / "birds"
    keras_csg.export(tiny_classifier(), path, layout="tfserving")
    assert {p.name for p in path.iterdir()} == {"1", "1.proof.json"}
    signatures = tf.saved_model.load(path / "1").signatures
    assert set(signatures) == {"serving_default", "explain"}
    config = layouts.triton_config("saved_model", metadata("saved_model"), "m")
    explained = signatures[EXPLAIN].structured_outputs
    assert set(explained) == set(tensors(parse(config).output))
