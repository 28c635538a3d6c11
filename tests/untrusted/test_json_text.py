"""JSON of others is measured before it is made into values."""

import ast
import os

import pytest

from keras_csg.untrusted import json_text
from keras_csg.untrusted.json_text import parse_json, read_json
from tests.source_tree import modules, parse


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b'\xef\xbb\xbf{"a": "\xc3\xa4"}', {"a": "ä"}),
    ],
)
def test_plain_json_is_read(text, value):
    assert parse_json(text) == value


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 200_000, "nested too deep"),
        ('{"a":' * 200_000, "nested too deep"),
        ("[NaN]", "NaN is no number"),
        ("[1, -Infinity]", "-Infinity is no number"),
        ("[" + "1" * 5_000 + "]", "digit"),
        ("{", "Expecting"),
        (b"\xff\xfe", "utf-8"),
        ("", "Expecting value"),
    ],
)
def test_what_is_none_is_refused_in_one_line(text, words):
    with pytest.raises(ValueError, match=words) as raised:
        parse_json(text)
    assert "\n" not in str(raised.value)


def test_values_are_counted_before_they_are_made(monkeypatch):
    monkeypatch.setattr(json_text, "MOST_VALUES", 10)
    assert parse_json("[1,2,3]") == [1, 2, 3]
    with pytest.raises(ValueError, match="more than 10 values"):
        parse_json(f"[{'[],' * 20}[]]")


def test_size_is_compared_before_a_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(json_text, "MOST_TEXT", 1000)
    path = tmp_path / "a.json"
    path.write_text(f'"{"x" * 1000}"')
    with pytest.raises(ValueError, match="at most 1000 bytes"):
        read_json(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(OSError, match="a pipe"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"seed": 1, "rate": NaN}', "^`rate`: NaN is no number"),
        ('{"edited" : -Infinity}', "^`edited`: -Infinity is no number"),
        ('{"seed": 1, "a b": ' + "[" * 100_000, "^`a b` is nested too deep"),
    ],
)
def test_the_field_is_named(text, words):
    with pytest.raises(ValueError, match=words):
        parse_json(text)


def test_a_name_may_be_there_twice_in_pairs():
    pairs = parse_json('{"a": 1, "a": {"b": 2}}', pairs=True)
    assert pairs == [("a", 1), ("a", [("b", 2)])]


def test_lists_of_images_are_as_long_as_they_are(monkeypatch):
    monkeypatch.setattr(json_text, "MOST_VALUES", 3)
    monkeypatch.setattr(json_text, "MOST_TEXT", 5)
    with pytest.raises(ValueError, match="a description at most"):
        parse_json(b"[1, 2, 3, 4, 5]")
    assert parse_json(b"[1, 2, 3, 4, 5]", limited=False)[-1] == 5


# Who reads JSON on its own, and why. All else goes by `parse_json`.
ON_THEIR_OWN = {
    # Requests: limits and words are of their own.
    "keras_csg.serving.json_codec",
    # What this package wrote a moment ago, or comes with it.
    "keras_csg.backbones.catalog",
    "keras_csg.deployment.metadata",
    "keras_csg.deployment.ownership",
    "keras_csg.deployment.publishing",
    "keras_csg.reports.page",
    "keras_csg.serving.settings",
    "keras_csg.training.changed_options",
    "keras_csg.untrusted.json_text",
}


def test_files_are_read_in_one_way():
    found = {
        name
        for name, path in modules("keras_csg").items()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("load", "loads")
        and getattr(node.func.value, "id", "") == "json"
    }
    assert found == ON_THEIR_OWN
