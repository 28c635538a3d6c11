"""Run directories of strangers: what their files say is checked when read."""

import gzip
import json
import os
from unittest import mock

import pytest

from keras_csg.training import Run
from keras_csg.training.config_files import RunConfig, read_config
from keras_csg.training.edited_runs import edit_of
from keras_csg.training.going_on import find_state


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


WRONG = [
    ('{"versions": 5}', "config.json is damaged: `versions` must be a table"),
    ('{"versions": {"keras": 3}}', "`versions.keras` must be a text"),
    ('{"threads": "2"}', "`threads` must be a whole number"),
    ('{"threads": NaN}', "`threads`: NaN is no number"),
    ('{"weights_sha256": 5}', "`weights_sha256` must be a text"),
    ('{"edited": [1]}', "`edited` must be a table"),
    ('{"seed": ' + "[" * 100_000, "`seed` is nested too deep"),
    ("[]", "must hold a table of options"),
]


@pytest.mark.parametrize("text, words", WRONG, ids=range(len(WRONG)))
def test_whoever_reads_the_configuration_names_the_field(text, words, run):
    """Also those who want something else of it."""
    run.config_path.write_text(text)
    readers = (
        lambda: run.options,
        lambda: edit_of(run),
        run.read_config,
        lambda: read_config(run.config_path),
        lambda: find_state(run, print),
        lambda: run.check_weights(mock.Mock(sha256="a")),
    )
    for read in readers:
        with pytest.raises(ValueError, match=words) as raised:
            read()
        assert "\n" not in str(raised.value)
        assert "config.json" in str(raised.value)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"epochs": "many"}, "`epochs` must be of type int"),
        ({"learning_rate": []}, "`learning_rate` must be of type float"),
        ({"seed": None}, "`seed` must be of type int"),
        ({"gated": 1}, "Unknown option 'gated'"),
    ],
)
def test_options_of_a_run_are_named(options, words, run):
    run.config_path.write_text(json.dumps(options))
    with pytest.raises(ValueError, match=f"config.json: {words}"):
        run.options  # noqa: B018


def test_what_is_not_changed_of_a_configuration_stays(run):
    config = RunConfig({"epochs": 2, "seed": 3}, {"keras": "3"}, None, 2)
    run.write_config(config)
    assert run.read_config() == config
    run.write_config(config.with_options(epochs=5))
    assert json.loads(run.config_path.read_text()) == {
        "epochs": 5,
        "seed": 3,
        "weights_sha256": None,
        "versions": {"keras": "3"},
        "threads": 2,
    }


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "nested too deep"),
        ('{"options": 5, "rows": []}', "`options` must be a table"),
        ('{"options": {}, "rows": [1]}', r"`rows\[0\]` must be a table"),
        ('{"options": {}, "rows": [{"loss": 1}]}', "loss` must be a text"),
        ('{"rows": []}', "`options` is missing"),
    ],
)
def test_the_record_of_a_training_is_checked(text, words, run):
    (run.path / "record.json").write_text(text)
    with pytest.raises(ValueError, match=f"record.json is damaged: .*{words}"):
        run.read_record()


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "nested too deep"),
        ('{"digest": ""}', "`images` is missing"),
        ('{"digest": 5, "images": {}}', "`digest` must be a text"),
        (
            '{"digest": "", "images": {"train": {"a": "5"}}}',
            "`images.train.a` must be a whole number",
        ),
        ('{"digest": "", "images": {}, "seen": {}}', "`seen` must be a list"),
        ("{}" + " " * 10**8, "unpacks to more than 64.0 MiB"),
    ],
)
def test_the_list_of_images_is_checked(text, words, run):
    run.listing_path.write_bytes(gzip.compress(text.encode(), 1))
    with pytest.raises(ValueError, match=f"json.gz is damaged: .*{words}"):
        run.read_listing()


def test_a_list_of_images_that_is_cut_is_damaged(run):
    whole = gzip.compress(b'{"digest": "", "images": {}}' * 99)
    for content in (b"", whole[:30], whole[:-9], b"\x1f\x8b" + whole[9:]):
        run.listing_path.write_bytes(content)
        with pytest.raises(ValueError, match="json.gz is damaged"):
            run.read_listing()
