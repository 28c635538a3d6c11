"""Which files an export writes is settled, and checked, before it begins."""

import pathlib

import pytest

from keras_csg.deployment import Target, check_targets, plan_targets
from keras_csg.deployment.formats.choosing import unmet_wishes
from keras_csg.deployment.formats.coreml import CoreMLFormat
from keras_csg.deployment.formats.openvino import OpenVinoFormat

OUT = pathlib.Path("out")


def test_without_a_wish_it_is_one_onnx_file():
    assert plan_targets("out") == [Target(OUT / "model.onnx", "onnx")]


def test_files_come_in_the_order_of_the_formats_each_once():
    assert plan_targets(
        OUT, ["litert", "onnx", "saved_model", "onnx"], ["int8", "float16"]
    ) == [
        Target(OUT / "saved_model", "saved_model"),
        Target(OUT / "model.onnx", "onnx"),
        Target(OUT / "model-float16.onnx", "onnx", "float16"),
        Target(OUT / "model-int8.onnx", "onnx", "int8"),
        Target(OUT / "model.tflite", "litert"),
        Target(OUT / "model-float16.tflite", "litert", "float16"),
        Target(OUT / "model-int8.tflite", "litert", "int8"),
    ]


@pytest.mark.parametrize(
    "layout, formats, expected",
    [
        ("triton", [], "onnx"),
        ("triton", ["saved_model"], "saved_model"),
        ("tfserving", [], "saved_model"),
    ],
)
def test_a_layout_is_one_folder_with_its_usual_format(
    layout, formats, expected
):
    target = Target(OUT / "birds", expected, layout=layout)
    assert plan_targets(OUT, formats, (), layout, "birds") == [target]


def test_a_layout_may_hold_a_quantised_model():
    (target,) = plan_targets(OUT, [], ["int8"], "triton", "birds")
    assert target == Target(OUT / "birds", "onnx", "int8", "triton")


def test_a_quantisation_is_of_those_formats_that_have_it():
    assert plan_targets(OUT, ["onnx", "litert"], ["dynamic"]) == [
        Target(OUT / "model.onnx", "onnx"),
        Target(OUT / "model.tflite", "litert"),
        Target(OUT / "model-dynamic.tflite", "litert", "dynamic"),
    ]


def test_all_is_what_can_be_written_here(monkeypatch):
    monkeypatch.setattr(OpenVinoFormat, "missing", lambda self: None)
    monkeypatch.setattr(CoreMLFormat, "missing", lambda self: "No Mac.")
    names = [target.path.name for target in plan_targets(OUT, ["all"], ["all"])]
    assert names == [
        "saved_model",
        *("model.onnx", "model-float16.onnx", "model-int8.onnx"),
        *("model.tflite", "model-float16.tflite"),
        *("model-dynamic.tflite", "model-int8.tflite"),
        *("openvino", "openvino-float16", "openvino-int8"),
    ]
    monkeypatch.setattr(OpenVinoFormat, "missing", lambda self: "Install it.")
    formats = {target.format for target in plan_targets(OUT, ["all"])}
    assert formats == {"saved_model", "onnx", "litert"}
    for asked in (["openvino"], ["all", "openvino"]):
        with pytest.raises(ValueError, match="Install it"):
            plan_targets(OUT, asked)


def test_what_all_leaves_out_is_one_line(monkeypatch):
    monkeypatch.setattr(OpenVinoFormat, "missing", lambda self: "Install it.")
    monkeypatch.setattr(CoreMLFormat, "missing", lambda self: None)
    assert unmet_wishes(["onnx"], ["int8"]) == ""
    assert unmet_wishes(["all"], ()) == "Without openvino: Install it."
    assert unmet_wishes(["onnx", "litert"], ["all"]) == "No dynamic of onnx."


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"formats": ["torch"]}, "`formats` must be .* formats=torch"),
        (
            {"formats": ["litert"], "quantize": ["int4"]},
            "`quantize` must be out of float16, dynamic, int8. .*int4",
        ),
        (
            {"formats": ["saved_model"], "quantize": ["int8"]},
            "`quantize='int8'` is for the format onnx or litert or openvino. "
            "Received: format=saved_model",
        ),
        (
            {"quantize": ["dynamic"]},
            "`quantize='dynamic'` is for the format litert. ONNX Runtime .* "
            "take int8. Received: format=onnx",
        ),
        (
            {"layout": "triton", "quantize": ["int8", "float16"]},
            "holds one model.*quantize=float16, int8",
        ),
        ({"layout": "torchserve"}, "`layout` must be one of triton"),
        ({"layout": "triton", "formats": ["onnx", "litert"]}, "one format"),
        ({"layout": "tfserving", "formats": ["onnx"]}, "saved_model.*onnx"),
        ({"layout": "triton", "name": "a/b"}, "without a path.*a/b"),
        ({"layout": "triton", "name": ""}, "without a path"),
        ({"name": "birds"}, "`name` needs `layout`"),
        ({"version": 2}, "`version` needs `layout`"),
    ],
)
def test_what_does_not_go_together_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        plan_targets(OUT, **arguments)


def test_a_taken_path_is_refused(tmp_path):
    targets = plan_targets(tmp_path, ["saved_model"])
    check_targets(tmp_path, targets, overwrite=False)
    (tmp_path / "saved_model").mkdir()
    with pytest.raises(ValueError, match="exists already.*--force"):
        check_targets(tmp_path, targets, overwrite=False)
    with pytest.raises(ValueError, match="a folder that no export wrote"):
        check_targets(tmp_path, targets, overwrite=True)


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out"
    with pytest.raises(ValueError, match="file is no folder"):
        check_targets(out, plan_targets(out), overwrite=False)
    monkeypatch.setattr("os.access", lambda *args: False)
    with pytest.raises(ValueError, match="denied: name a place that"):
        check_targets(tmp_path, plan_targets(tmp_path), overwrite=False)
