import json

import keras
import numpy as np
import pytest

from keras_csg.explain.cloning import clone_classifier
from keras_csg.models.filter_names import filter_label
from tests.tiny import FILTERS, tiny_classifier, tiny_data

NAMES = {4: "striped flank", 1: "<b>$x$</b>"}


def test_a_classifier_has_none_unless_told():
    assert tiny_classifier().filter_names == {}
    assert tiny_classifier(filter_names=None).filter_names == {}


def test_they_are_plain_and_in_order():
    model = tiny_classifier(filter_names={np.int64(4): " a b ", "1": "c"})
    assert model.filter_names == {1: "c", 4: "a b"}
    assert list(model.filter_names) == [1, 4]
    assert [type(key) for key in model.filter_names] == [int, int]


def test_they_may_be_set_later_all_at_once():
    model = tiny_classifier()
    model.filter_names = NAMES
    model.filter_names[0] = "not checked, so not kept"
    assert model.filter_names == NAMES
    model.filter_names = {}
    assert model.filter_names == {}


def test_a_label_is_number_and_name():
    model = tiny_classifier(filter_names=NAMES)
    assert filter_label(model, 4) == "filter 4 (striped flank)"
    assert filter_label(model, np.int64(0)) == "filter 0"
    assert filter_label(NAMES, 4) == "filter 4 (striped flank)"


def test_they_are_saved_and_cloned(tmp_path):
    model = tiny_classifier(filter_names=NAMES)
    model.compile("adam")
    model.fit(*tiny_data(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.filter_names == NAMES
    assert clone_classifier(loaded).filter_names == NAMES
    again = json.loads(json.dumps(model.get_config()["filter_names"]))
    assert tiny_classifier(filter_names=again).filter_names == NAMES


def test_a_config_without_them_is_read():
    """As every file of 0.1.0 is."""
    config = tiny_classifier().get_config()
    del config["filter_names"]
    assert type(tiny_classifier()).from_config(config).filter_names == {}


@pytest.mark.parametrize(
    "names, message",
    [
        (["a"], "must be a dict"),
        ("a", "must be a dict"),
        ({FILTERS: "a"}, "There is no filter 6: the network has 6, 0 to 5"),
        ({-1: "a"}, "no filter -1"),
        ({True: "a"}, "no filter True"),
        ({1.0: "a"}, "no filter 1.0"),
        ({"x": "a"}, "no filter 'x'"),
        ({1: "a", "1": "b"}, "filter 1 more than once"),
        ({1: ""}, "not empty"),
        ({1: "  "}, "not empty"),
        ({1: "a\nb"}, "one line"),
        ({1: 7}, "Received: 7 for filter 1"),
    ],
)
def test_what_is_no_name_is_refused(names, message):
    with pytest.raises(ValueError, match=message):
        tiny_classifier(filter_names=names)
    model = tiny_classifier(filter_names=NAMES)
    with pytest.raises(ValueError, match=message):
        model.filter_names = names
    assert model.filter_names == NAMES
