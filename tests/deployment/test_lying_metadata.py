"""Metadata are checked at the door: one line that names the field."""

import base64
import dataclasses
import json
import shutil
import zipfile
import zlib

import numpy as np
import pytest

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from keras_csg.deployment.metadata import Metadata
from keras_csg.untrusted.limits import VARIABLE
from tests.deployment.lying import write_lie
from tests.deployment.trained import trained_classifier, write_as


def packed(values):
    data = zlib.compress(np.asarray(values, "<f4").tobytes(), 9)
    return base64.b64encode(data).decode()


NO_STEPS = {"input__preprocessing": ...}
GATE = {"shape": [4, 6], "data": packed(np.ones((4, 6)))}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """An exported OpenVINO-free folder whose description is a file."""
    folder = tmp_path_factory.mktemp("saved")
    path = write_as(
        get_format("saved_model"), trained_classifier(), folder / "model"
    )
    file = path / "assets.extra/keras_csg.json"
    plain = dataclasses.replace(keras_csg.read_metadata(path), digest=None)
    file.write_text(plain.to_json())
    return path


@pytest.fixture(scope="module")
def values(path):
    return json.loads((path / "assets.extra/keras_csg.json").read_text())


def changed(values, field, value):
    """Returns the metadata with one field changed, `input.shape` as well."""
    values = json.loads(json.dumps(values))
    outer, _, inner = field.partition(".")
    if inner and value is Ellipsis:
        del values[outer][inner]
    elif inner:
        values[outer][inner] = value
    elif value is Ellipsis:
        del values[outer]
    else:
        values[outer] = value
    return values


LIES = [
    ("format", 5, "`format` must be a text"),
    ("format", ..., "`format` is missing"),
    ("backbone", None, "`backbone` must be a text"),
    ("class_names", "abcd", "`class_names` must be a list"),
    ("class_names", [], "`class_names` must be a list of at least 1"),
    ("class_names", [None] * 4, r"`class_names\[0\]` must be a text"),
    ("class_names", list("abca"), "`class_names` must be all different.*'a'"),
    ("class_names", list("abc"), r"`gate_matrix.shape` must be \[3, 6\]"),
    ("input", None, "`input` must be a table"),
    ("input.shape", [None, 0, 8, 3], r"`input.shape\[1\]` must be a whole"),
    ("input.shape", [None, "8", "8", 3], r"`input.shape\[1\]` .*'8'"),
    ("input.shape", [None, 8.0, 8, 3], r"`input.shape\[1\]` must be a whole"),
    ("input.shape", [None, 8, 8], "`input.shape` must be a list of 4"),
    ("input.shape", [None, 8, 8, 4], r"`input.shape` must be \[null, height"),
    (
        "input.shape",
        [None, 30_000, 30_000, 3],
        f"`input.shape` must be .*an eighth of {VARIABLE}.*GiB",
    ),
    (
        "input.shape",
        [None, 10**30, 8, 3],
        r"`input.shape\[1\]` must be a whole number.*10000",
    ),
    ("input.dtype", "object", "`input.dtype` must be one of float32, uint8"),
    ("input.color", "BGR", "`input.color` must be one of RGB"),
    ("input.layout", "NCHW", "`input.layout` must be one of NHWC"),
    ("input.range", ["0", "255"], r"`input.range\[0\]` must be a finite"),
    ("input.range", [255, 0], "`input.range` must be two numbers, the smaller"),
    ("input.range", [5, 5], "`input.range` must be two numbers, the smaller"),
    ("input.background", "rgb(1,2,9999999999)", "`input`: `background` must"),
    ("input.background", "rgb(1,2,256)", "`input`: `background` must be"),
    ("input.background", "hsl(0,100%,900%)", "`input`: `background` must be"),
    ("input.preprocessing", [{"step": "exec"}], "`input.preprocessing` must"),
    ("input.preprocessing", [], "`input.preprocessing` must be the steps"),
    ("input.preprocessing", [5], "`input.preprocessing` must be the steps"),
    ("input.resize", "explode", "`input`: `resize` must be one of"),
    ("input.background", "no colour", "`input`: .*no colour"),
    ("input.white_level", -1, "`input.white_level` must be"),
    ("outputs", {}, "`outputs` must be a table of at least 1"),
    ("outputs", ["probabilities"], "`outputs` must be a table"),
    ("outputs", {"probabilities": 1}, "`outputs.probabilities` must be a text"),
    ("multi_label", "yes", "`multi_label` must be true or false"),
    ("quantization", 8, "`quantization` must be a text"),
    ("filter_classes", [9] * 6, "`filter_classes` must be numbers of the 4"),
    ("filter_classes", [0] * 5, r"`gate_matrix.shape` must be \[4, 5\]"),
    ("filter_classes", ["0"] * 6, r"`filter_classes\[0\]` must be a whole"),
    ("filter_names", {"9": "ear"}, "`filter_names` must be those of the 6"),
    ("filter_names", {"-1": "ear"}, "`filter_names` must name filters by"),
    ("filter_names", {"1": 5}, "`filter_names.1` must be a text"),
    ("gate_matrix", 5, "`gate_matrix` must be a table"),
    ("gate_matrix.shape", [4], "`gate_matrix.shape` must be a list of 2"),
    ("gate_matrix.shape", [4, 10**7], r"`gate_matrix.shape` must be \[4, 6\]"),
    ("gate_matrix.data", 5, "`gate_matrix.data` must be a text"),
    ("gate_matrix.data", "%%", "`gate_matrix.data` is damaged"),
    ("gate_matrix.data", "AAAA", "`gate_matrix.data` is damaged"),
    ("gate_matrix.data", packed([1.0]), "`gate_matrix.data` must have as many"),
    ("gate_matrix.data", packed([np.nan] * 24), "`gate_matrix` must be finite"),
    ("digest", "x", "`digest` must be a table"),
    ("digest", {}, "`digest.(model|description)` is missing"),
    ("digest", {"model": "0" * 64}, "`digest.description` is missing"),
]


@pytest.mark.parametrize("field, value, words", LIES)
def test_a_lie_is_one_line_that_names_the_field(field, value, words, values):
    text = json.dumps(changed(values, field, value))
    with pytest.raises(
        ValueError, match=f"metadata .* are damaged: {words}"
    ) as e:
        Metadata.from_json(text)
    assert "\n" not in str(e.value) and len(str(e.value)) < 400


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"format": ' + "[" * 200_000, "nested too deep"),
        ('{"format": NaN}', "NaN is no number"),
        ("null", "the whole must be a table"),
        ('{"a":' + "1" * 5000 + "}", "`a`: a number has too many digits"),
        ('{"a": 1, "b": {"c": 2, "c": 3}}', "`c` is there twice"),
        ("[" + "[]," * 1_000_001 + "[]]", "more than 1,000,000 values"),
    ],
)
def test_what_is_no_description_is_one_line(text, words):
    with pytest.raises(ValueError, match=f"are damaged: .*{words}") as raised:
        Metadata.from_json(text)
    assert "sys." not in str(raised.value)


@pytest.mark.parametrize(
    "step, changes",
    [
        ("resize", {"height": 10**9}),
        ("resize", {"mode": "pad"}),
        ("composite", {"background": [1, 2, 3]}),
        ("decode", {"version": 2}),
    ],
)
def test_steps_say_what_the_other_fields_say(step, changes, values):
    steps = [
        {**one, **changes} if one["step"] == step else one
        for one in values["input"]["preprocessing"]
    ]
    text = json.dumps(changed(values, "input.preprocessing", steps))
    with pytest.raises(ValueError, match="`input.preprocessing` must be the s"):
        Metadata.from_json(text)


def test_steps_may_be_told_in_other_words(values):
    steps = [
        {**step, "what": "shorter", "of_a_later_version": 1}
        for step in values["input"]["preprocessing"]
    ]
    text = json.dumps(changed(values, "input.preprocessing", steps))
    assert Metadata.from_json(text).input["preprocessing"] == steps


def test_a_later_version_may_say_more(values):
    more = {**values, "of_a_later_version": 1.5}
    assert Metadata.from_json(json.dumps(more)).class_names == list("0123")


def told(path, tmp_path, **changes):
    """Returns a copy of a model with other metadata."""
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)
    file = copy / "assets.extra/keras_csg.json"
    values = json.loads(file.read_text())
    for field, value in changes.items():
        values = changed(values, field.replace("__", "."), value)
    file.write_text(json.dumps(values))
    return copy


@pytest.mark.parametrize(
    "changes, words",
    [
        (
            {"input__shape": [None, 9, 9, 3], **NO_STEPS},
            "`input.shape` is .*, and the gra",
        ),
        ({"input__shape": [None] * 3 + [3], **NO_STEPS}, "`input.shape` is "),
        (
            {"outputs": {"score": "x"}},
            "`outputs` is score, and the graph has no",
        ),
        (
            {
                "class_names": list("abc"),
                "gate_matrix": None,
                "filter_classes": None,
            },
            "`class_names` is 3 of them, and probabilities has 4",
        ),
        (
            {"gate_matrix": None, "filter_classes": [0] * 5},
            "`filter_classes` is 5 of them, and filter_contributions has 6",
        ),
    ],
)
def test_a_description_of_another_graph_is_refused(
    changes, words, path, tmp_path
):
    copy = told(path, tmp_path, **changes)
    keras_csg.read_metadata(copy)
    with pytest.raises(ValueError, match=f"not what its metadata say: {words}"):
        keras_csg.open_exported(copy)


@pytest.mark.parametrize(
    "name, suffix", [("onnx", "onnx"), ("litert", "tflite")]
)
def test_the_other_formats_are_compared_too(
    name, suffix, tmp_path, monkeypatch
):
    """By files that say of themselves what is not so."""
    lie = {"outputs": {"probabilities": "", "score": ""}}
    path = write_lie(
        monkeypatch, name, tmp_path / f"a.{suffix}", lambda metadata: lie
    )
    with pytest.raises(ValueError, match="`outputs` is score, and the graph"):
        keras_csg.open_exported(path)


@pytest.mark.parametrize(
    "name, suffix", [("onnx", "onnx"), ("litert", "tflite")]
)
def test_the_other_formats_inputs_are_compared_too(
    name, suffix, tmp_path, monkeypatch
):
    def change(metadata):
        said = {**metadata.input, "shape": (None, 9, 8, 3)}
        del said["preprocessing"]
        return {"input": said}

    path = write_lie(monkeypatch, name, tmp_path / f"a.{suffix}", change)
    with pytest.raises(
        ValueError, match="`input.shape` is .*takes .None, 8, 8"
    ):
        keras_csg.open_exported(path)


def test_a_gate_of_more_numbers_than_the_model_has_is_not_unpacked(values):
    """A gigabyte of zeros packs into a megabyte."""
    lie = changed(values, "filter_classes", [0] * 300_000)
    lie = changed(lie, "gate_matrix.shape", [4, 300_000])
    lie["gate_matrix"]["data"] = packed(np.zeros((4, 300_000)))
    text = json.dumps(lie)
    assert Metadata.from_json(text).gate_matrix.shape == (4, 300_000)
    with pytest.raises(
        ValueError, match="unpacks to 4.6 MiB, and of this model"
    ):
        Metadata.from_json(text, model_bytes=10_000)


def test_an_encrypted_archive_is_one_line(tmp_path):
    from tests.untrusted.test_archives import encrypt

    path = write_as(
        get_format("litert"), trained_classifier(), tmp_path / "a.tflite"
    )
    with zipfile.ZipFile(path) as archive:
        assert "keras_csg.json" in archive.namelist()
    encrypt(path)
    with pytest.raises(ValueError, match="damaged: its member .* is encrypted"):
        keras_csg.read_metadata(path)
