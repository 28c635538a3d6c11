"""A detector's files are checked when they are read: one line, one field."""

import json

import numpy as np
import pytest

from keras_csg.metrics.head import Head
from keras_csg.robustness.detection.storing import (
    Stored,
    read_detector,
    write_detector,
)
from tests.untrusted.test_archives import write_zeros


@pytest.fixture
def folder(tmp_path):
    head = Head(np.ones((3, 2), "float32"), np.zeros(2, "float32"))
    params = {
        "score": "energy",
        "false_alarm_rate": 0.05,
        "seed": 0,
        "batch_size": 8,
    }
    arrays = {"rank": np.arange(5.0)}
    write_detector(tmp_path / "d", Stored(params, 1.5, arrays, head))
    return tmp_path / "d"


def test_what_was_written_comes_back(folder):
    found = read_detector(folder, None)
    assert found.threshold == 1.5 and found.params["score"] == "energy"
    np.testing.assert_array_equal(found.arrays["rank"], np.arange(5.0))


@pytest.mark.parametrize(
    "field, value, words",
    [
        ("format", "1", "`facts.format` must be a whole number"),
        ("score", 5, "`facts.score` must be a text"),
        ("false_alarm_rate", 2, "`facts.false_alarm_rate` must be a finite"),
        ("threshold", "high", "`facts.threshold` must be a finite number"),
        ("threshold", None, "`facts.threshold` must be a finite number"),
        ("batch_size", 0, "`facts.batch_size` must be a whole number"),
        ("seed", 10**30, "`facts.seed` must be a whole number"),
        ("head_sha256", [], "`facts.head_sha256` must be a text"),
    ],
)
def test_a_fact_that_is_none_is_named(field, value, words, folder):
    facts = json.loads((folder / "detector.json").read_text())
    (folder / "detector.json").write_text(json.dumps({**facts, field: value}))
    with pytest.raises(ValueError, match=f"detector.json is damaged: {words}"):
        read_detector(folder, None)


@pytest.mark.parametrize("text", ["[" * 200_000, "[]", '{"format": NaN}'])
def test_facts_that_are_no_table_are_one_line(text, folder):
    (folder / "detector.json").write_text(text)
    with pytest.raises(ValueError, match="detector.json is damaged: ") as e:
        read_detector(folder, None)
    assert "\n" not in str(e.value)


def test_arrays_of_gigabytes_are_not_unpacked(folder):
    from keras_csg.robustness.detection import storing

    write_zeros(folder / "detector.npz", "rank.npy", 2**28)
    facts = json.loads((folder / "detector.json").read_text())
    facts["arrays_sha256"] = storing._sha256(folder / "detector.npz")
    (folder / "detector.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="it unpacks to 256.0 MiB"):
        read_detector(folder, None)
