import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.metrics.grid_pointing_game import (
    choose_cells,
    grid_pointing_game,
    make_mosaics,
)


def test_shares_by_hand():
    maps = np.zeros((1, 4, 4, 6))
    maps[0, 0, :2, :3] = 1  # All in its own cell.
    maps[0, 1] = 1  # Everywhere: chance.
    maps[0, 2, 0, 0] = 3  # Right is 1, wrong 3; negative does not count.
    maps[0, 2, 2, 0] = 1
    maps[0, 2, 3, 5] = -100
    assert_allclose(grid_pointing_game(maps, 2), [[1, 0.25, 0.25, 0]])


@pytest.mark.parametrize("side", [2, 3])
def test_cells_are_in_the_order_of_mosaics(side):
    images = np.arange(side**2, dtype="uint8")[:, None, None, None]
    images = np.broadcast_to(images, (side**2, 4, 5, 3))
    cells = np.arange(side**2)[None]
    mosaics = make_mosaics(images, cells)
    assert mosaics.shape == (1, side * 4, side * 5, 3)
    maps = (mosaics[..., 0] == cells.T[..., None])[None].astype(float)
    assert_array_equal(grid_pointing_game(maps, side), 1)


def test_cells_hold_different_classes_that_are_classified_with_confidence():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 200)
    probabilities = np.full((200, 5), 0.01)
    probabilities[np.arange(200), labels] = rng.uniform(0.8, 0.96, 200)
    probabilities[:40, 2] = 0.99  # For most of these a mistake.
    cells = choose_cells(labels, probabilities, 2, 50)
    assert cells.shape == (50, 4)
    assert (np.sort(labels[cells]) < 5).all()
    assert (np.diff(np.sort(labels[cells], axis=1), axis=1) > 0).all()
    assert (probabilities[cells, labels[cells]] >= 0.9).all()
    assert (probabilities[cells].argmax(axis=-1) == labels[cells]).all()
    assert len(np.unique(cells)) > 50
    assert_array_equal(cells, choose_cells(labels, probabilities, 2, 50))
    other = choose_cells(labels, probabilities, 2, 50, seed=1)
    assert not np.array_equal(cells, other)
    assert choose_cells(labels, probabilities, 3, 50) is None
    assert choose_cells(labels, probabilities * 0, 2, 50) is None


def test_no_image_is_used_again_while_others_are_left():
    """Five classes of 10 images each, and one of 2."""
    labels = np.repeat(np.arange(6), [10, 10, 10, 10, 10, 2])
    probabilities = np.eye(6)[labels]
    cells = choose_cells(labels, probabilities, 2, 10)
    # All classes are left for at least so long, and nobody is drawn twice.
    assert len(np.unique(cells)) == cells.size
    assert len(np.unique(labels[cells])) == 6
    cells = choose_cells(labels, probabilities, 2, 40)
    uses = np.bincount(cells.ravel(), minlength=52)
    assert uses.min() >= 1
    for label in range(6):  # Within a class the first again after the last.
        assert np.ptp(uses[labels == label]) <= 1
    assert (np.diff(np.sort(labels[cells], axis=1), axis=1) > 0).all()
    # Over and over, where there are no more classes than cells.
    few = labels < 4
    cells = choose_cells(labels[few], probabilities[few], 2, 30)
    assert (np.bincount(cells.ravel()) == 3).all()


@pytest.mark.parametrize("shape", [(1, 4, 5, 4), (1, 4, 4, 5), (1, 3, 4, 4)])
def test_what_does_not_fit_is_named(shape):
    with pytest.raises(ValueError, match="Received: maps.shape="):
        grid_pointing_game(np.ones(shape), 2)
