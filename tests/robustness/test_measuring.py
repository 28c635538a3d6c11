import numpy as np
import pytest

from keras_csg.robustness.batches import NumberedBatch
from keras_csg.robustness.measuring import (
    Change,
    RobustnessCount,
    changes_of,
    paired_difference,
)
from tests.robustness.hand_made import colour_classifier, coloured


def batch():
    colours = [130, 100, 100], [110, 100, 100], [90, 100, 80]
    return NumberedBatch(
        np.arange(3), coloured(*colours).astype("uint8"), np.zeros(3, int)
    )


def measured(models, changes):
    count = RobustnessCount(models, changes)
    for change in changes:
        for part in (0, 1), (1, 3):
            count.see(
                NumberedBatch(*(x[slice(*part)] for x in batch())), change
            )
    return count.figures()


def test_curves_by_hand():
    """The label is ahead by 30 and by 10, and FGSM takes twice epsilon."""
    model = colour_classifier(gated=False)
    changes = changes_of(["fgsm"], [1 / 255, 8 / 255, 20 / 255], ["brightness"])
    figures = measured({"red": model}, changes)
    assert figures["images"] == 3 and figures["norm"] == "linf"
    attack, light = figures["curves"]
    assert attack["strengths"] == ["1/255", "8/255", "20/255"]
    assert attack["runs"]["red"]["accuracy"] == pytest.approx([2 / 3, 1 / 3, 0])
    assert attack["runs"]["red"]["zero_gradients"] == [0, 0, 0]
    # Lighter, but of the same colour.
    assert light["strengths"] == ["1", "2", "3", "4", "5"]
    assert light["runs"]["red"]["accuracy"] == pytest.approx([2 / 3] * 5)
    run = figures["runs"]["red"]
    assert run["accuracy"] == pytest.approx(2 / 3)
    assert run["mean_attack_accuracy"] == pytest.approx(1 / 3)
    assert run["mean_corruption_accuracy"] == pytest.approx(2 / 3)
    assert "difference" not in attack


def test_each_head_is_attacked_by_itself():
    """The class-specific one of class 0 sees half of red's evidence."""
    model = colour_classifier()
    model.gate.gate_matrix.assign([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    model.head.set_weights(
        [np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1.0]]), np.zeros(3)]
    )
    figures = measured({"a": model}, changes_of(["fgsm"], [8 / 255], []))
    points = figures["curves"][0]["runs"]["a"]
    # Standard: red + green against green and blue, so far ahead of both.
    assert points["accuracy"] == [1.0]
    assert points["class_specific_accuracy"] == pytest.approx([1 / 3])
    assert points["class_specific_zero_gradients"] == [0]


def test_two_classifiers_are_compared_image_by_image():
    models = {
        "red": colour_classifier(gated=False),
        "green": colour_classifier(
            np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), gated=False
        ),
    }
    figures = measured(models, changes_of([], [], ["brightness"]))
    (curve,) = figures["curves"]
    # Red tells the first two, green the third: differences of 1, 1 and -1.
    assert curve["difference"] == pytest.approx(1 / 3)
    assert curve["standard_error"] == pytest.approx(np.sqrt(4 / 3 / 3))
    assert set(figures["runs"]) == {"red", "green"}
    same = {name: curve[name] for name in ("difference", "standard_error")}
    assert figures["differences"] == {"clean": same, "corruption": same}


def test_the_standard_error_is_that_of_means_over_strengths():
    first = np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool)
    second = np.array([[0, 1, 0, 0], [0, 0, 0, 0]], bool)
    found = paired_difference(first, second)
    each = np.array([1, 0, 0, 1.0])
    assert found["difference"] == 0.5
    assert found["standard_error"] == pytest.approx(each.std(ddof=1) / 2)
    one = paired_difference(first[:, :1], second[:, :1])
    assert one == {"difference": 1.0, "standard_error": None}


def test_changes_begin_with_none():
    changes = changes_of(["pgd"], [0.1], ["fog"])
    assert changes[0] == Change("clean", "clean")
    assert changes[1].written() == ["0.1"]
    assert changes[2].strengths == (1, 2, 3, 4, 5)
