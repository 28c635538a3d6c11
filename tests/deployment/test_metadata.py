import base64
import dataclasses
import json
import zlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.data.image_steps import preprocessing_steps
from keras_csg.deployment.describing import describe
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.deployment.graph.outputs import OUTPUTS
from keras_csg.deployment.metadata import Metadata, labels_text
from tests.deployment.trained import trained_classifier
from tests.tiny import FILTERS


def described(model, **kwargs):
    return describe(model, answering_model(model, **kwargs), "onnx")


def test_it_describes_a_gated_classifier():
    model = trained_classifier(class_names=["red", "grün", "blue", "white"])
    metadata = described(model, input_dtype="uint8")
    assert metadata.class_names == ["red", "grün", "blue", "white"]
    assert metadata.backbone == "tiny"
    steps = metadata.input.pop("preprocessing")
    assert steps == preprocessing_steps(metadata.reading, metadata.input)
    assert metadata.input == {
        "name": "images",
        "shape": (None, 8, 8, 3),
        "dtype": "uint8",
        "range": [0, 255],
        "color": "RGB",
        "layout": "NHWC",
        "resize": "crop",
        "background": "white",
        "white_level": None,
    }
    assert list(metadata.outputs) == list(OUTPUTS)
    gate = np.array(model.gate.gate_matrix)
    assert_array_equal(metadata.gate_matrix, gate)
    assert metadata.filter_classes == [
        int(np.flatnonzero(column == 1)[0]) for column in gate.T
    ]


def test_a_classifier_without_gate_and_names_has_numbers():
    metadata = described(trained_classifier(gated=False), outputs=["class_id"])
    assert metadata.class_names == ["0", "1", "2", "3"]
    assert metadata.gate_matrix is None
    assert metadata.filter_classes is None
    assert list(metadata.outputs) == ["class_id"]


def test_it_says_in_numbers_how_a_file_becomes_its_input():
    """So that a page in a browser need not read the words."""
    model = trained_classifier(
        image_reading={"resize": "pad", "background": "#102030"}
    )
    metadata = described(model, input_dtype="uint8")
    steps = json.loads(metadata.to_json())["input"]["preprocessing"]
    assert [step["step"] for step in steps] == [
        *("decode", "orient", "levels", "rgb", "composite", "resize", "batch"),
    ]
    by_name = {step["step"]: step for step in steps}
    assert all(step["what"] for step in steps)
    assert by_name["composite"]["background"] == [16, 32, 48]
    resize = by_name["resize"]
    assert (resize["mode"], resize["filter"]) == ("pad", "triangle")
    assert (resize["height"], resize["width"]) == (8, 8)
    assert by_name["levels"]["white"] is None
    assert by_name["batch"]["dtype"] == "uint8"


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\u2028b", "a\x0bb"])
def test_a_file_of_labels_has_a_line_for_each(text):
    lines = labels_text([text, "", "c"])
    assert lines == "a b\n\nc\n" and len(lines.splitlines()) == 3


def test_numbers_for_names_are_read_as_texts():
    values = json.loads(described(trained_classifier()).to_json())
    values["class_names"] = [3, 1, 4, 15]
    metadata = Metadata.from_json(json.dumps(values))
    assert metadata.class_names == ["3", "1", "4", "15"]


@pytest.mark.parametrize("gated", [True, False])
def test_it_survives_json(gated):
    metadata = described(trained_classifier(gated=gated))
    again = Metadata.from_json(metadata.to_json())
    for field in dataclasses.fields(Metadata):
        assert_array_equal(
            getattr(again, field.name), getattr(metadata, field.name)
        )
    assert again.input["shape"] == (None, 8, 8, 3)


def test_the_gate_can_be_read_without_this_package():
    model = trained_classifier()
    value = json.loads(described(model).to_json())["gate_matrix"]
    data = zlib.decompress(base64.b64decode(value["data"]))
    gate = np.frombuffer(data, "<f4").reshape(value["shape"])
    assert_array_equal(gate, np.array(model.gate.gate_matrix))


def test_a_trained_gate_takes_little_room():
    model = trained_classifier()
    gate = np.eye(4, FILTERS, dtype="float32")
    sparse = dataclasses.replace(
        described(model), gate_matrix=np.tile(gate, (250, 300))
    )
    assert len(sparse.to_json()) < 0.01 * sparse.gate_matrix.nbytes


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '"', "null", '{"gate_matrix": {"shape": [1]}}']
)
def test_damaged_json_is_named(text):
    with pytest.raises(ValueError, match="metadata .* are damaged"):
        Metadata.from_json(text)


def test_a_damaged_gate_is_named():
    values = json.loads(described(trained_classifier()).to_json())
    values["gate_matrix"]["data"] = values["gate_matrix"]["data"][:-8]
    with pytest.raises(ValueError, match="metadata .* are damaged"):
        Metadata.from_json(json.dumps(values))


def test_filters_have_the_names_that_a_person_gave_them():
    model = trained_classifier(filter_names={2: "striped flank"})
    text = described(model).to_json()
    assert json.loads(text)["filter_names"] == {"2": "striped flank"}
    assert Metadata.from_json(text).filter_names == {2: "striped flank"}


def test_a_file_from_before_there_were_names_is_read():
    values = json.loads(described(trained_classifier()).to_json())
    del values["filter_names"]
    assert Metadata.from_json(json.dumps(values)).filter_names == {}


@pytest.mark.parametrize("names", [[], {"x": "a"}, {"1": 2}])
def test_broken_names_of_filters_are_damage(names):
    values = json.loads(described(trained_classifier()).to_json())
    with pytest.raises(ValueError, match="damaged"):
        Metadata.from_json(json.dumps({**values, "filter_names": names}))


@pytest.mark.parametrize(
    "names", [[1, 2, 3, 4], ["a", "b"], ["a", "b", "c", "\udce9"], list("abca")]
)
def test_names_that_somebody_set_are_checked_as_those_given(names):
    model = trained_classifier()
    model.class_names = names
    with pytest.raises(ValueError, match="`class_names` must"):
        described(model)
