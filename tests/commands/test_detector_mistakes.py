"""Mistakes about detectors are told before any image is read."""

import json
import shutil

import pytest

import keras_csg
from keras_csg import InputError
from keras_csg.training import run_data
from tests.tiny_run import make_tiny_run


@pytest.fixture(scope="module")
def fitted(digits, tmp_path_factory):
    """A run with a detector."""
    path = tmp_path_factory.mktemp("runs") / "run"
    make_tiny_run(path, digits, gated=False, epochs=1)
    keras_csg.fit_detector(path, false_alarm_rate=0.1, limit=40, log=None)
    return path


@pytest.fixture
def run(fitted, tmp_path):
    """A copy to write to."""
    return shutil.copytree(fitted, tmp_path / "run")


@pytest.fixture
def no_data(monkeypatch):
    """Fails where data are loaded."""

    def fail(*args, **kwargs):
        pytest.fail("the data were loaded first")

    monkeypatch.setattr(run_data, "load_data_for", fail)


def edit(run):
    path = run / "detector" / "detector.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"threshold": facts["threshold"] + 1}))


def test_a_damaged_detector_is_told_before_an_export(run, no_data, tmp_path):
    edit(run)
    with pytest.raises(InputError, match="damaged: it was changed"):
        keras_csg.export_run(run, tmp_path / "out", detector=True, log=None)
    assert not (tmp_path / "out").exists()


def test_an_edited_detector_neither_scores_nor_predicts(run, tmp_path):
    edit(run)
    for ask in (keras_csg.score_images, keras_csg.predict):
        with pytest.raises(InputError, match="damaged: it was changed") as e:
            ask(run, __file__)
        assert "\n" not in str(e.value)


def test_arrays_that_are_gone_are_missing(run):
    (run / "detector" / "detector.npz").unlink()
    with pytest.raises(InputError, match=r"npz is missing\. Fit it") as e:
        keras_csg.score_images(run, __file__)
    assert "Errno" not in str(e.value)


def test_held_out_classes_that_are_none_are_told_first(run, no_data):
    with pytest.raises(InputError, match="Train one with --hold-out-classes"):
        keras_csg.fit_detector(run, unknown="held-out", log=None)


def test_a_rate_that_no_split_shows_is_told_first(run, no_data):
    with pytest.raises(InputError, match="1e-05 takes 100,000 clean images"):
        keras_csg.fit_detector(run, false_alarm_rate=1e-5, log=None)


@pytest.mark.parametrize("within", ["", "detector", "detector/detector.json"])
def test_a_run_stands_for_its_detector(run, within, tmp_path):
    figures = keras_csg.attack(
        run, epsilon="2/255", limit=10, detector=run / within, log=None
    )
    assert 0 <= figures["detected"] <= 1
    keras_csg.export_run(
        run, tmp_path / "out", formats="onnx", detector=run / within, log=None
    )
    found = keras_csg.read_metadata(tmp_path / "out" / "model.onnx").detector
    assert found["false_alarm_rate"] == 0.1


def test_a_head_that_is_not_there_is_named(run, no_data):
    with pytest.raises(InputError, match="`head` must be standard for .*gate"):
        keras_csg.attack(run, head="class_specific", log=None)


@pytest.mark.parametrize(
    "epsilons, norm, words",
    [("8", "linf", "write 8/255"), ("0", "linf", "0"), ("99", "l2", "at most")],
)
def test_several_strengths_are_named_by_their_argument(
    run, no_data, epsilons, norm, words
):
    with pytest.raises(InputError, match=f"`epsilons` must .*{words}"):
        keras_csg.measure_robustness(
            run, epsilons=epsilons, norm=norm, attacks="pgd", log=None
        )
