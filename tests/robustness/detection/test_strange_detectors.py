"""A detector's files are checked when they are read: one line, one field."""

import json

import numpy as np
import pytest

from keras_csg.metrics.head import Head
from keras_csg.robustness import AnomalyDetector
from keras_csg.robustness.detection.storing import (
    Stored,
    read_detector,
    write_detector,
)
from tests.tiny import tiny_classifier, tiny_data
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
    del facts["facts_sha256"]
    facts["arrays_sha256"] = storing.sha256_of(folder / "detector.npz")
    (folder / "detector.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="it unpacks to 256.0 MiB"):
        read_detector(folder, None)


@pytest.mark.parametrize(
    "field, value",
    [("threshold", 1.6), ("false_alarm_rate", 0.1), ("score", "msp")],
)
def test_a_fact_that_was_edited_is_damage(field, value, folder):
    facts = json.loads((folder / "detector.json").read_text())
    (folder / "detector.json").write_text(json.dumps({**facts, field: value}))
    with pytest.raises(
        ValueError, match="damaged: it was changed after.*Fit it again"
    ):
        read_detector(folder, None)


def write_as_before(folder, **changes):
    """Facts as they were written before there was a digest of them."""
    facts = json.loads((folder / "detector.json").read_text())
    del facts["facts_sha256"]
    (folder / "detector.json").write_text(json.dumps({**facts, **changes}))


@pytest.fixture(scope="module")
def fitted():
    model = tiny_classifier()
    return AnomalyDetector("energy").fit(model, tiny_data(400)[0])


@pytest.mark.parametrize("rests", [True, False])
def test_a_file_of_before_is_read_as_it_was(rests, fitted, tmp_path):
    fitted.save(tmp_path / "d")
    write_as_before(tmp_path / "d")
    if not rests:  # Curves of before had no second parts.
        stored = read_detector(tmp_path / "d", None)
        starts = stored.arrays["rank"][0] + stored.arrays["rank"][4]
        rank = np.stack([starts, *stored.arrays["rank"][1:4]])
        arrays = {**stored.arrays, "rank": rank}
        write_detector(tmp_path / "d", stored._replace(arrays=arrays))
        write_as_before(tmp_path / "d")
    found = AnomalyDetector.load(tmp_path / "d")
    assert found.threshold_ == fitted.threshold_


def test_an_edited_file_of_before_is_held_against_its_curve(fitted, tmp_path):
    fitted.save(tmp_path / "d")
    for changes in (
        {"threshold": fitted.threshold_ + 0.5},
        {"threshold": fitted.threshold_ - 0.5},
        {"false_alarm_rate": 0.1},
    ):
        write_as_before(tmp_path / "d", **changes)
        with pytest.raises(ValueError, match="damaged: .*Fit it again") as e:
            AnomalyDetector.load(tmp_path / "d")
        assert "\n" not in str(e.value)
        fitted.save(tmp_path / "d")
    write_as_before(tmp_path / "d", score="mahalanobis")
    with pytest.raises(ValueError, match="not what the score 'mahalanobis'"):
        AnomalyDetector.load(tmp_path / "d")
