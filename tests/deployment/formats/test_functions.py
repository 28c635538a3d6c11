"""Functions in a backbone are exported as the layers of their names are."""

import keras
import pytest
from keras import ops

import keras_csg
from tests.tiny import tiny_data

FUNCTIONS = {
    "gelu": keras.activations.gelu,
    "gelu of ops": lambda x: ops.gelu(x, approximate=False),
    "gelu by tanh": lambda x: ops.gelu(x, approximate=True),
    "celu": keras.activations.celu,
    "silu": keras.activations.silu,
    "hard silu": ops.hard_silu,
    "softplus": keras.activations.softplus,
    "expm1": lambda x: ops.expm1(ops.tanh(x)),
    "log1p": lambda x: ops.log1p(ops.abs(x)),
    "logaddexp": lambda x: ops.logaddexp(x, 0.5 * x),
}


def classifier(function):
    images = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 128, -1.0)(images)
    maps = function(keras.layers.Conv2D(6, 3)(x))
    return keras_csg.build(keras.Model(images, maps), 4)


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.slow
def test_a_function_answers_as_in_keras(name, suffix, tmp_path):
    proof = keras_csg.export(
        classifier(FUNCTIONS[name]),
        tmp_path / f"model{suffix}",
        images=tiny_data(6)[0],
    )
    assert max(proof["gaps"].values()) < 1e-5


@pytest.mark.parametrize("name", ["gelu", "celu", "log1p"])
def test_a_function_is_written_to_onnx(name, tmp_path):
    test_a_function_answers_as_in_keras(name, ".onnx", tmp_path)


def test_what_a_format_lacks_is_named(tmp_path):
    model = classifier(lambda x: ops.erfinv(0.9 * ops.tanh(x)))
    for suffix, message in (
        (".onnx", "ONNX, which has no operation for Erfinv"),
        (".tflite", "LiteRT cannot run .* no operation for Erfinv"),
    ):
        with pytest.raises(ValueError, match=message):
            keras_csg.export(model, tmp_path / f"model{suffix}")
    assert not [*tmp_path.iterdir()]


def test_a_table_that_is_looked_up_is_named_in_one_line(tmp_path, capfd):
    """Of its answers the converters know not even how many axes they have."""
    images = keras.Input((8, 8, 3))
    lookup = keras.layers.IntegerLookup(vocabulary=list(range(1, 200)))
    x = ops.cast(lookup(ops.cast(images, "int64")), "float32")
    maps = keras.layers.Conv2D(6, 3)(x)
    model = keras_csg.build(keras.Model(images, maps), 4)
    capfd.readouterr()
    for suffix, message in (
        (".onnx", "ONNX, which has no operation for .*LookupTableFind"),
        (".tflite", "LiteRT cannot run .* no operation for .*LookupTableFind"),
    ):
        with pytest.raises(ValueError, match=message) as raised:
            keras_csg.export(model, tmp_path / f"model{suffix}")
        assert "\n" not in str(raised.value)
        assert "Conv2D" not in str(raised.value)
    assert not [*tmp_path.iterdir()]
    assert capfd.readouterr() == ("", "")
