"""Run directories of strangers: what their files say is checked when read."""

import json
import os

import pytest

from keras_csg.training import Run
from keras_csg.training.config_files import read_config
from keras_csg.training.edited_runs import edit_of


@pytest.fixture
def run(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    return Run(tmp_path)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 200_000, "nested too deep"),
        ('{"accuracy": NaN}', "NaN is no number"),
        ('{"accuracy": 1e400}', "must be finite numbers"),
        ("[]", "`it` must be a table|it` must be a table"),
        (
            '{"filters_per_class": 5}',
            "`figures.filters_per_class` must be a li",
        ),
        (
            '{"filters_per_class": ["1"]}',
            r"filters_per_class\[0\]` must be a wh",
        ),
        ("", "Expecting value"),
    ],
)
def test_figures_that_are_none_are_named(text, words, run):
    run.metrics_path.write_text(text)
    with pytest.raises(ValueError, match=f"metrics.json is damaged: .*{words}"):
        run.read_metrics()


def test_figures_come_back(run):
    figures = {"accuracy": 0.5, "mis": None, "filters_per_class": [1, 2]}
    run.write_metrics(figures)
    assert run.read_metrics() == figures


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("a.json", "[" * 200_000, "nested too deep"),
        ("a.json", '{"epochs": NaN}', "NaN is no number"),
        ("a.toml", "a = " + "[" * 50_000, "not a JSON or .toml file"),
        ("a.json", '"text"', "must hold a table of options"),
        ("a.json", '{"epochs": ' + "1" * 5000 + "}", "digit"),
    ],
)
def test_options_that_are_none_are_one_line(name, text, words, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words) as raised:
        read_config(tmp_path / name)
    assert "\n" not in str(raised.value)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ValueError, match="a pipe"):
        read_config(tmp_path / "a.json")


@pytest.mark.parametrize(
    "record, words",
    [
        (5, "`edited` must be a table"),
        ({"filters": 3}, "`edited.filters_before` is missing"),
        ({"filters": "3", "filters_before": 4}, "`edited.filters` must be a w"),
    ],
)
def test_the_record_of_an_edit_is_checked(record, words, run):
    run.config_path.write_text(json.dumps({"edited": record}))
    with pytest.raises(ValueError, match=f"config.json is damaged: {words}"):
        edit_of(run)
