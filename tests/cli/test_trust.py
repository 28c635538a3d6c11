"""Exported files of strangers, as a person meets them on the command line."""

import shutil

import keras
import pytest

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.formats.test_strange_graphs import (
    graph_that_writes,
    save_with,
)
from tests.deployment.trained import trained_classifier, write_as


@pytest.fixture(scope="module")
def model():
    return trained_classifier(class_names=["a", "b", "c", "d"])


def one_line(code, err):
    return code == 2 and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["predict", "explain"])
def test_a_graph_that_writes_needs_trust(
    command, model, digit, tmp_path, run_cli
):
    target, path = tmp_path / "written", tmp_path / "strange"
    save_with(path, model, graph_that_writes(target))
    image = digit[0][0]
    code, out, err = run_cli(command, path, image)
    assert one_line(code, err) and not out, err
    assert "it has WriteFile" in err and "--trust" in err
    assert not target.exists()
    code, out, err = run_cli(command, path, image, "--trust")
    assert code == 0, err
    assert target.exists()


def test_a_server_does_not_run_it_either(model, tmp_path, run_cli):
    pytest.importorskip("uvicorn")
    target, path = tmp_path / "written", tmp_path / "strange"
    save_with(path, model, graph_that_writes(target))
    ports = ("--port", "0", "--grpc-port", "none")
    code, out, err = run_cli("serve", path, *ports)
    assert code == 2 and "it has WriteFile" in err and "Traceback" not in err
    assert not target.exists()


def test_a_flipped_bit_is_one_line(model, digit, tmp_path, run_cli):
    path = write_as(get_format("onnx"), model, tmp_path / "a.onnx")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)
    code, out, err = run_cli("predict", path, digit[0][0])
    assert one_line(code, err) and not out, err


@pytest.mark.parametrize("suffix", [".keras", ".onnx"])
def test_weights_that_are_no_numbers_predict_nothing(
    suffix, digit, tmp_path, run_cli
):
    model = trained_classifier()
    kernel = keras.ops.convert_to_numpy(model.head.kernel).copy()
    kernel[0, 0] = float("nan")
    model.head.kernel.assign(kernel)
    path = tmp_path / f"a{suffix}"
    if suffix == ".keras":
        model.save(path)
    else:
        write_as(get_format("onnx"), model, path)
        with pytest.raises(ValueError, match="are no numbers"):
            opened = keras_csg.open_exported(path)
            opened.answer(opened.read(digit[0][0]))
    code, out, err = run_cli("predict", path, digit[0][0])
    assert code == 2 and "nan %" not in out and "NaN" in err, err
    assert "%" not in out and len(err.strip().splitlines()) == 1


def test_a_folder_without_a_description_is_one_line(
    model, digit, tmp_path, run_cli
):
    path = write_as(get_format("saved_model"), model, tmp_path / "model")
    shutil.rmtree(path / "assets.extra")
    code, _, err = run_cli("predict", path, digit[0][0])
    assert one_line(code, err) and "keras_csg exported" in err
