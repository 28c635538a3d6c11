"""Labels of classes that a network does not have."""

import pytest

from tests.tiny import CLASSES, tiny_classifier, tiny_data


@pytest.mark.parametrize("way", ["fit", "evaluate", "train_on_batch"])
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


def test_soft_and_right_labels_pass():
    from keras_csg.models.label_range import check_labels

    model = tiny_classifier()
    _, labels = tiny_data(40)
    for known in (labels, labels.astype("float32"), labels[:0], None):
        check_labels(model, known)
