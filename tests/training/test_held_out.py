"""Classes that a run was trained without, and their images afterwards."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg import load_data
from keras_csg.training import Run
from keras_csg.training.held_out import load_held_out
from keras_csg.training.options import TrainingOptions
from keras_csg.training.run_data import load_run_data
from tests.tiny_run import make_tiny_run

HELD_OUT = {"hold_out_classes": ["3", "7"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("held_out") / "run"
    data = load_data("digits", image_size=8, **HELD_OUT)
    return Run(make_tiny_run(path, data, options=HELD_OUT))


def test_they_are_kept_with_the_run(run):
    config = json.loads(run.config_path.read_text())
    assert config["hold_out_classes"] == ["3", "7"]
    assert run.options.hold_out_classes == ("3", "7")
    assert TrainingOptions(hold_out_classes="3, 7") == TrainingOptions(
        **HELD_OUT
    )


def test_the_run_knows_of_the_others_alone(run):
    data = load_run_data(run, run.load_model())
    assert data.class_names == ["0", "1", "2", "4", "5", "6", "8", "9"]


def test_other_data_of_all_classes_lose_them_too(run):
    data = load_run_data(run, run.load_model(), data="digits")
    assert "3" not in data.class_names


def test_their_images_of_the_test_split_can_be_had(run):
    test = load_data("digits", image_size=8).test
    images, labels = test.images_and_labels()
    expected = images[np.isin(labels, [3, 7])]
    assert_array_equal(load_held_out(run), expected)
    assert_array_equal(load_held_out(run, 1), expected[:1])
    assert len(load_held_out(run, 5)) == 5


def test_a_run_of_all_classes_has_none(tmp_path):
    data = load_data("digits", image_size=8)
    run = Run(make_tiny_run(tmp_path / "run", data))
    with pytest.raises(ValueError, match="Train one with --hold-out-classes"):
        load_held_out(run)


def test_images_of_several_classes_hold_none_out():
    with pytest.raises(ValueError, match="`hold_out_classes` is for images"):
        TrainingOptions(multi_label=True, labels="a.csv", **HELD_OUT)
