"""A set whose images are not known by what is in them, and that changed."""

import shutil

import pytest

import keras_csg
from tests.data.sources.test_hugging_face import saved
from tests.training.photos import train

pytestmark = pytest.mark.usefixtures("tiny")


def test_nothing_is_measured_on_another_set_unasked(tmp_path):
    folder = saved(tmp_path / "set", train=60, test=15)
    train(tmp_path / "run", folder, epochs=1)
    assert keras_csg.evaluate(tmp_path / "run", log=None)["examples"] == 15
    shutil.rmtree(folder)
    saved(tmp_path / "set", train=63, test=15)
    with pytest.raises(keras_csg.InputError, match="trained on cannot be told"):
        keras_csg.evaluate(tmp_path / "run", log=None)
    figures = keras_csg.evaluate(tmp_path / "run", data=folder, log=None)
    assert figures["examples"] == 15
