import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.robustness.distance import (
    check_reach,
    distances,
    random_within,
    read_epsilon,
    rounded,
    within,
    write_epsilon,
)


@pytest.mark.parametrize(
    "given, number",
    [
        ("8/255", 8 / 255),
        (" 8 / 255 ", 8 / 255),
        ("0.03", 0.03),
        (0.03, 0.03),
        (1, 1.0),
        ("1e-3", 0.001),
        (np.float32(0.5), 0.5),
    ],
)
def test_an_epsilon_is_a_share(given, number):
    assert read_epsilon(given) == pytest.approx(number)


@pytest.mark.parametrize(
    "given, message",
    [
        (8, "at most 1; for 8 of the 255 steps of a pixel write 8/255"),
        ("8", "write 8/255. Received: epsilon=8$"),
        (0, "above 0"),
        ("-1/255", "above 0"),
        ("1/0", "such as 8/255 or 0.03. Received: epsilon=1/0"),
        ("much", "such as 8/255"),
        ("nan", "such as 8/255"),
        (float("nan"), "such as 8/255"),
        (float("inf"), "such as 8/255"),
        (True, "such as 8/255"),
        (None, "such as 8/255"),
        ("1/1e400", "such as 8/255"),
    ],
)
def test_what_is_no_share_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        read_epsilon(given)


def test_l2_has_a_range_of_its_own():
    assert read_epsilon("3", "l2") == 3
    check_reach(3.0, "l2", (2, 2, 3))
    check_reach(400.0, "linf", (2, 2, 3))
    with pytest.raises(ValueError, match=r"at most 3\.5, the l2 distance of"):
        check_reach(128.0, "l2", (2, 2, 3))
    with pytest.raises(ValueError, match="`norm` must be one of linf, l2"):
        read_epsilon(0.1, "l1")


def test_it_is_written_as_it_is_read():
    assert write_epsilon(8 / 255) == "8/255"
    assert write_epsilon(0.03) == "0.03"


def test_distances_are_shares():
    images = np.zeros((2, 1, 2, 3))
    moved = images.copy()
    moved[1, 0, 0] = [51, 0, 102]
    found = distances(moved, images)
    assert_allclose(found.linf, [0, 0.4])
    assert_allclose(found.l2, [0, np.sqrt(0.2**2 + 0.4**2)])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_random_points_fill_the_ball(norm):
    points = random_within((4, 4, 3), 2.0, norm, 0, np.arange(300))
    flat = points.reshape(300, -1)
    lengths = {
        "linf": np.abs(flat).max(axis=1),
        "l2": np.linalg.norm(flat, axis=1),
    }[norm]
    assert lengths.max() <= 2.0001 and lengths.min() > 1.5
    assert abs(flat.mean()) < 0.05
    again = random_within((4, 4, 3), 2.0, norm, 0, np.array([7]))
    assert_array_equal(again[0], points[7])


def test_what_is_within_the_ball_stays():
    moved = np.zeros((2, 1, 1, 3), "float32")
    moved[0] = [3, 0, 4]
    moved[1] = [0.3, 0, 0.4]
    assert_allclose(within(moved, 2.5, "l2")[0, 0, 0], [1.5, 0, 2])
    assert_allclose(within(moved, 2.5, "l2")[1], moved[1])
    assert_allclose(within(moved, 2.5, "linf")[0, 0, 0], [2.5, 0, 2.5])


def test_rounding_keeps_within_linf():
    images = np.full((1, 1, 1, 3), 100, "uint8")
    attacked = images + np.array([1.7, -0.4, -1.6], "float32")
    found = rounded(attacked, images, 1.7 / 255, "linf")
    assert found.dtype == np.uint8
    assert_array_equal(found[0, 0, 0], [101, 100, 99])
    found = rounded(attacked, images, 1.7 / 255, "l2")
    assert_array_equal(found[0, 0, 0], [102, 100, 98])
    found = rounded(attacked, images, 0.5 / 255, "linf")
    assert_array_equal(found, images)
