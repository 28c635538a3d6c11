import pytest

from keras_csg.deployment.triton_text import parse_text, require_fitting_config

WRITTEN = """
name: "birds"
platform: "onnxruntime_onnx"
input { name: "images" data_type: TYPE_FP32 dims: [8, 9, 3] }
output { name: "class_id" data_type: TYPE_INT32 dims: [1] }
output { name: "heatmap" data_type: TYPE_FP32 dims: [4, 5] }
"""


def test_both_ways_of_writing_a_list_are_read():
    one = parse_text("a { b: [1, -1] }\na: < b: 2; > # c: 3")
    other = parse_text('a: [ { b: 1 b: -1 }, { b: "2" } ]')
    assert one == other == {"a": [{"b": ["1", "-1"]}, {"b": ["2"]}]}


def test_strings_keep_what_looks_like_signs():
    assert parse_text(r'a: "} # \"b\" "') == {"a": ['} # "b" ']}


@pytest.mark.parametrize("text", ["a {", "a: [1", "a: }", "a", "a: $", "}"])
def test_what_is_something_else_is_refused(text):
    with pytest.raises(ValueError, match="strange|too early"):
        parse_text(text)


@pytest.mark.parametrize(
    "change",
    [
        ("", "max_batch_size: 8"),
        ("[4, 5]", "[-1, -1]"),
        ('output { name: "heatmap" data_type: TYPE_FP32 dims: [4, 5] }', ""),
        ('platform: "onnxruntime_onnx"', 'backend: "onnxruntime"'),
        ("dims: [8, 9, 3]", "dims: 8 dims: 9 dims: 3"),
    ],
)
def test_a_configuration_that_fits_is_left_alone(tmp_path, change):
    path = tmp_path / "config.pbtxt"
    old, new = change
    path.write_text(WRITTEN.replace(old, new) if old else WRITTEN + new)
    require_fitting_config(path, WRITTEN)


@pytest.mark.parametrize(
    "old, new, fault",
    [
        ("[8, 9, 3]", "[3, 8, 9]", "input 'images' has another"),
        ("TYPE_INT32", "TYPE_INT64", "output 'class_id' has another"),
        ('"heatmap"', '"map"', "no output 'map'"),
        ('"images"', '"image"', "no input 'image'"),
        ('"birds"', '"cats"', "its name is 'cats', not 'birds'"),
        (
            "onnxruntime_onnx",
            "tensorrt_plan",
            "its platform is 'tensorrt_plan'",
        ),
        ("{", "", "cannot be read"),
    ],
)
def test_one_that_does_not_fit_is_named(tmp_path, old, new, fault):
    path = tmp_path / "config.pbtxt"
    path.write_text(WRITTEN.replace(old, new))
    with pytest.raises(ValueError, match=rf"config.pbtxt is kept.*{fault}"):
        require_fitting_config(path, WRITTEN)
