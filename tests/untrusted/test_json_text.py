"""JSON of others is measured before it is made into values."""

import os

import pytest

from keras_csg.untrusted import json_text
from keras_csg.untrusted.json_text import parse_json, read_json


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
    with pytest.raises(ValueError, match="no regular file"):
        read_json(tmp_path / "a.json")
