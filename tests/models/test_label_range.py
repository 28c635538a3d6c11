"""Labels of classes that a network does not have."""

import keras
import numpy as np
import pytest

from keras_csg.models.label_range import check_labels
from tests.tiny import CLASSES, tiny_classifier, tiny_data


@pytest.mark.parametrize(
    "way", ["fit", "evaluate", "train_on_batch", "test_on_batch"]
)
@pytest.mark.parametrize("change, odd", [(-1, "-1"), (1, str(CLASSES))])
@pytest.mark.parametrize("column", [False, True])
def test_they_are_named_before_the_first_step(way, change, odd, column):
    images, labels = tiny_data(40)
    model = tiny_classifier(closing_steps=1)
    model.compile("sgd")
    given = labels + change
    if column:
        given = given[:, None]
    message = rf"from 0 to {CLASSES - 1}\. Received: {odd}$"
    with pytest.raises(ValueError, match=message):
        getattr(model, way)(images, given)
    with pytest.raises(ValueError, match=message):
        getattr(model, way)(images, y=given)


@pytest.mark.parametrize("kind", ["float32", "tensor", "pandas"])
def test_they_are_so_in_other_kinds_of_arrays(kind):
    images, labels = tiny_data(40)
    model = tiny_classifier(closing_steps=1)
    model.compile("sgd")
    given = labels + 1
    if kind == "tensor":
        given = keras.ops.convert_to_tensor(given)
    elif kind == "pandas":
        given = pytest.importorskip("pandas").Series(given)
    else:
        given = given.astype(kind)
    with pytest.raises(ValueError, match=rf"Received: {CLASSES}(\.0)?$"):
        model.fit(images, given, verbose=0)


@pytest.mark.parametrize(
    "value, odd", [(0.5, "0.5"), (float("nan"), "nan"), (-1.0, "-1.0")]
)
def test_floats_that_are_no_class_numbers_are_refused(value, odd):
    _, labels = tiny_data(40)
    labels = labels.astype("float32")
    labels[7] = value
    for given in (labels, labels[:, None]):
        with pytest.raises(ValueError, match=rf"numbers .* {odd}$"):
            check_labels(tiny_classifier(), given)


@pytest.mark.parametrize("value", [-0.5, 1.5, float("nan")])
def test_shares_below_zero_or_above_one_are_refused(value):
    shares = np.eye(CLASSES, dtype="float32")
    shares[1, 2] = value
    with pytest.raises(ValueError, match=rf"from 0 to 1\. Received: {value}$"):
        check_labels(tiny_classifier(), shares)


def test_class_numbers_in_the_form_of_shares_are_refused():
    numbers = np.tile(np.arange(CLASSES), (5, 1))
    with pytest.raises(ValueError, match="from 0 to 1"):
        check_labels(tiny_classifier(), numbers)


def test_soft_and_right_labels_pass():
    model = tiny_classifier()
    _, labels = tiny_data(40)
    hard = np.eye(CLASSES)[labels]
    for known in (
        labels,
        labels.astype("float32"),
        labels.astype("float16")[:, None],
        labels[:0],
        labels > 1,
        None,
        hard,
        hard.astype(bool),
        hard.astype("uint8"),
        0.9 * hard + 0.1 / CLASSES,
        hard.astype("float32") * np.float32(1 + 1e-6),
    ):
        check_labels(model, known)
