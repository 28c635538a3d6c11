"""Which files an export writes is settled, and checked, before it begins."""

import pathlib

import pytest

from keras_csg.deployment import Target, check_targets, plan_targets

OUT = pathlib.Path("out")


def test_without_a_wish_it_is_one_onnx_file():
    assert plan_targets("out") == [Target(OUT / "model.onnx", "onnx")]


def test_files_come_in_the_order_of_the_formats_each_once():
    assert plan_targets(
        OUT, ["litert", "onnx", "saved_model", "onnx"], ["int8", "float16"]
    ) == [
        Target(OUT / "saved_model", "saved_model"),
        Target(OUT / "model.onnx", "onnx"),
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


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"formats": ["torch"]}, "`formats` must be .* formats=torch"),
        (
            {"formats": ["litert"], "quantize": ["int4"]},
            "`quantize` must be out of float16, dynamic, int8. .*int4",
        ),
        ({"quantize": ["int8"]}, "`quantize` needs the format litert"),
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
    with pytest.raises(ValueError, match="is read-only"):
        check_targets(tmp_path, plan_targets(tmp_path), overwrite=False)
