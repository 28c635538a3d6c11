"""Weights of the package have no list of images, and the splits they had."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from keras_csg import load_data
from keras_csg.backbones.weights import list_cards
from keras_csg.training.opening import ShippedRun
from keras_csg.training.run_data import load_data_for
from keras_csg.training.runs import Run


@pytest.fixture
def folder(tmp_path):
    for name, shade in (("dark", 0), ("light", 120)):
        (tmp_path / name).mkdir()
        for number in range(60):
            pixels = np.full((8, 8, 3), shade + number, "uint8")
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return tmp_path


def levels(split):
    return split.images_and_labels()[0][:, 0, 0, 0]


def test_nothing_that_they_were_trained_on_is_in_their_validation(folder):
    card = list_cards()[0]
    options = {**card.options, "data": str(folder), "image_size": 8}
    run = ShippedRun(dataclasses.replace(card, options=options))
    found = load_data_for(run.options, run=run)
    trained = load_data(folder, image_size=8)
    for split in ("train", "validation", "test"):
        assert_array_equal(
            levels(getattr(found, split)), levels(getattr(trained, split))
        )
    older = load_data_for(run.options, run=Run(folder / "older"))
    assert (
        levels(older.validation).tolist() != levels(found.validation).tolist()
    )
