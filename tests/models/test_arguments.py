import keras
import numpy as np
import pytest

import keras_csg
from tests.tiny import CLASSES, tiny_backbone, tiny_classifier


def test_numpys_numbers_are_saved_and_loaded(tmp_path):
    model = keras_csg.build(
        tiny_backbone(),
        np.int64(CLASSES),
        filters=np.int32(8),
        lambda_1=np.float32(0.5),
        lambda_2=np.float64(0.25),
        density=np.float32(0.5),
        filter_dropout=np.float32(0.25),
        closing_steps=np.int16(7),
        class_names=np.array(["a", "b", "c", "d"]),
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.num_classes == CLASSES and loaded.filters == 8
    assert (loaded.lambda_1, loaded.lambda_2) == (0.5, 0.25)
    assert (loaded.density, loaded.filter_dropout) == (0.5, 0.25)
    assert loaded.closing_steps == 7
    assert loaded.class_names == list("abcd")


@pytest.mark.parametrize("num_classes", ["10", 2.5, 4.0, True, None, 1])
def test_what_is_no_number_of_classes_is_refused(num_classes):
    with pytest.raises(ValueError, match="`num_classes` must be a whole"):
        keras_csg.CSGClassifier(tiny_backbone(), num_classes)


@pytest.mark.parametrize(
    "name, value",
    [
        ("lambda_1", "a"),
        ("lambda_1", None),
        ("lambda_2", True),
        ("lambda_3", float("nan")),
        ("lambda_4", [1]),
        ("lambda_5", -1),
        ("lambda_6", -1),
        ("density", "x"),
        ("density", 0),
        ("filter_dropout", "x"),
        ("closing_steps", 2.5),
        ("closing_steps", 0),
        ("gated", "no"),
        ("dtype", "mixed_bfloat16"),
        ("class_names", "abcd"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(name, value):
    match = f"`{name}` must be .*Received: {name}="
    with pytest.raises(ValueError, match=match) as error:
        tiny_classifier(**{name: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("filters", ["8", 2.5, 0, True])
def test_what_is_no_number_of_filters_is_refused(filters):
    with pytest.raises(ValueError, match=f"filters={filters!r}"):
        keras_csg.build(tiny_backbone(), CLASSES, filters=filters)


def test_an_unknown_argument_is_refused():
    """Keras's functional model would swallow it."""
    with pytest.raises(TypeError, match="lamda_1"):
        tiny_classifier(lamda_1=2.0)


@pytest.mark.parametrize("floatx", ["float64", "float16"])
def test_losses_in_another_dtype_than_float32_are_refused(floatx):
    keras.config.set_floatx(floatx)
    try:
        with pytest.raises(ValueError, match=f"floatx='{floatx}'"):
            tiny_classifier()
    finally:
        keras.config.set_floatx("float32")


def test_class_names_as_bytes_are_decoded(tmp_path):
    names = [b"cat", "Hündin".encode(), "猫", np.bytes_(b"d")]
    model = tiny_classifier(class_names=names)
    assert model.class_names == ["cat", "Hündin", "猫", "d"]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.class_names == model.class_names


@pytest.mark.parametrize("name", [b"\xff", 3, None])
def test_class_names_that_are_no_text_are_refused(name):
    with pytest.raises(ValueError, match="must be texts that UTF-8"):
        tiny_classifier(class_names=["a", "b", "c", name])


def test_a_changed_config_is_the_way_to_other_weights_of_the_losses():
    model = tiny_classifier()
    config = {**model.get_config(), "lambda_1": 0.7}
    changed = keras_csg.CSGClassifier.from_config(config)
    changed.set_weights(model.get_weights())
    assert changed.lambda_1 == 0.7


def test_class_names_that_are_there_twice_are_refused():
    with pytest.raises(ValueError, match="once. Received: 'b' more than once"):
        tiny_classifier(class_names=["a", "b", "c", "b"])
