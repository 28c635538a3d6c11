"""What cannot be taken out, and what is said then."""

import keras
import numpy as np
import pytest

from keras_csg import edit
from tests.edit.hand_made import NAMES, classifier


@pytest.mark.parametrize(
    "filters, message",
    [
        ([], "at least one. Received: none"),
        (6, "no filter 6: the network has 6, 0 to 5"),
        ([-1], "no filter -1"),
        (["x"], "no filter 'x'"),
        (range(6), "No filter would be left of the 6"),
    ],
)
def test_filters_that_cannot_be_removed(filters, message):
    with pytest.raises(ValueError, match=message):
        edit.remove_filters(classifier(), filters)


@pytest.mark.parametrize(
    "classes, message",
    [
        ("dig", "no class 'dig'; the nearest are dog"),
        (["cat", "cot"], "no class 'cot'; the nearest are cat"),
        (4, "no class 4: their numbers are 0 to 3"),
        ([], "at least one. Received: none"),
        (True, "no class True"),
        ("cat,dog,owl", "two classes at least, .* there would be 1 left"),
    ],
)
def test_classes_that_cannot_be_removed(classes, message):
    with pytest.raises(ValueError, match=message):
        edit.remove_class(classifier(), classes)


def test_a_class_that_has_every_filter_cannot_be_removed():
    model = classifier()
    model.gate.gate_matrix.assign(np.eye(4)[:, [0, 0, 0, 0, 0, 0]])
    with pytest.raises(ValueError, match="all are those of cat"):
        edit.remove_class(model, "cat")


def test_keeping_all_or_one_is_refused():
    with pytest.raises(ValueError, match="at least one must be left out"):
        edit.keep_classes(classifier(), NAMES)
    with pytest.raises(ValueError, match="there would be 1 left"):
        edit.keep_classes(classifier(), "cat")


def test_pruning_needs_something_to_prune():
    with pytest.raises(ValueError, match="has no gate"):
        edit.prune_shared(classifier(gated=False))
    model = classifier()
    features = np.random.default_rng(0).uniform(size=(5, 6))
    with pytest.raises(ValueError, match="No filter is dead over 5 images"):
        edit.prune_dead(model, features)
    with pytest.raises(ValueError, match=r"shape \(samples, 6\)"):
        edit.prune_dead(model, features[:, :5])
    with pytest.raises(ValueError, match="of two images at least"):
        edit.prune_dead(model, features[:1])
    with pytest.raises(ValueError, match="No filter would be left"):
        edit.prune_dead(model, np.ones((3, 6)))
    model.gate.gate_matrix.assign(np.ones((4, 6)))
    with pytest.raises(ValueError, match="the gate has not closed"):
        edit.prune_shared(model)
    model.gate.gate_matrix.assign(np.eye(4)[:, [0, 1, 2, 3, 0, 1]])
    with pytest.raises(ValueError, match="nothing to prune"):
        edit.prune_shared(model)


def test_filters_are_known_by_their_names():
    model = classifier()
    model.filter_names = {2: "whiskers", 4: "whiskers"}
    left = edit.remove_filters(model, "whiskers")
    assert left.filters == 4
    with pytest.raises(ValueError, match="nearest names are whiskers"):
        edit.remove_filters(model, ["wiskers"])


def test_another_model_is_named():
    images = keras.Input((4, 4, 3))
    model = keras.Model(images, keras.layers.Flatten()(images))
    for change in (edit.remove_filters, edit.remove_class, edit.keep_classes):
        with pytest.raises(ValueError, match="model of type Functional"):
            change(model, [0])
    with pytest.raises(ValueError, match="model of type Functional"):
        edit.prune_shared(model)


def test_a_name_with_a_comma_is_one_class():
    model = classifier(class_names=["a,b", "c", "d", "e"])
    assert edit.keep_classes(model, ["a,b", "c"]).class_names == ["a,b", "c"]
    assert edit.keep_classes(model, "c,d").class_names == ["c", "d"]
    with pytest.raises(ValueError, match="nearest are 'a,b'"):
        edit.remove_class(model, "a;b")
