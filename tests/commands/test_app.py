"""The page of a run: what is refused, and what it says is missing."""

import dataclasses
import importlib.util
import shutil
from unittest import mock

import pytest

import keras_csg
from keras_csg.commands.input_error import InputError
from tests.reports.surveys import hand_made as survey_by_hand

SERVE = "keras_csg.commands.app.serve"


@dataclasses.dataclass
class Served:
    """Stands for a page that is served."""

    url: str = "http://127.0.0.1:1/"
    waited: bool = False

    def wait(self):
        self.waited = True


@pytest.fixture
def serve(monkeypatch):
    """What the page is served with, without serving it."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: True if name == "gradio" else real(name, *rest),
    )
    with mock.patch(SERVE, return_value=Served()) as serve:
        yield serve


def test_the_page_has_what_fires_each_filter_and_pictures_to_begin_with(
    tiny_run, serve
):
    served = keras_csg.app(tiny_run, log=None)
    assert served.waited
    (bench,), settings = serve.call_args
    assert settings["host"] == "127.0.0.1" and settings["port"] is None
    assert bench.survey.filters == bench.model.filters == 20
    assert bench.survey.top_samples.shape == (20, 6)
    assert len(settings["examples"]) == 8
    assert settings["examples"][0].shape == (8, 8, 3)
    assert settings["examples"][0].dtype == "uint8"
    assert bench.notes == []


def test_galleries_may_be_left_out(tiny_run, serve):
    lines = []
    served = keras_csg.app(
        tiny_run, galleries=False, block=False, log=lines.append
    )
    assert not served.waited
    (bench,), _ = serve.call_args
    assert bench.survey is None
    assert "left out" in bench.notes[0]
    assert not any("Warning" in line for line in lines)


def test_data_that_are_gone_are_said_and_left_out(tiny_run, serve, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    config = (run / "config.json").read_text()
    (run / "config.json").write_text(config.replace('"digits"', '"/no/where"'))
    lines = []
    keras_csg.app(run, log=lines.append)
    (bench,), settings = serve.call_args
    assert bench.survey is None and settings["examples"] == []
    assert bench.notes[0].startswith("The run's data cannot be loaded")
    assert bench.notes[0] in lines
    with pytest.raises(InputError):
        keras_csg.app(run, data_dir=tmp_path / "gone", log=None)


def test_a_host_that_others_reach_is_warned_of(tiny_run, serve):
    lines = []
    keras_csg.app(tiny_run, host="0.0.0.0", galleries=False, log=lines.append)
    assert lines[-1].startswith("Warning: whoever reaches 0.0.0.0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"port": 0}, "`port` must be an integer from 1 to 65535"),
        ({"port": True}, "`port`"),
        ({"port": "80"}, "`port`"),
        ({"host": ""}, "`host`"),
        ({"open_browser": 1}, "`open_browser`"),
        ({"galleries": None}, "`galleries`"),
        ({"block": "no"}, "`block`"),
        ({"data_dir": ""}, "`data_dir`"),
        ({"track": None}, "`track`"),
        ({"log": 1}, "`log`"),
        ({"survey": {}}, "`survey` must be a FilterSurvey"),
        ({"survey": survey_by_hand()}, "20 filters. Received: a survey of 4"),
    ],
)
def test_arguments_are_checked(tiny_run, serve, arguments, message):
    with pytest.raises(InputError, match=message):
        keras_csg.app(tiny_run, **{"log": None} | arguments)
    assert not serve.called


def test_a_page_that_cannot_be_served_is_one_line(tiny_run, serve):
    serve.side_effect = ValueError("Cannot listen at 127.0.0.1, port 80")
    with pytest.raises(InputError, match="port 80"):
        keras_csg.app(tiny_run, port=80, galleries=False, log=None)


def test_without_gradio_it_is_said_what_to_install(tiny_run, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'keras-csg\[app\]'"):
        keras_csg.app(tiny_run, log=None)
