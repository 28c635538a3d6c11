import shutil
import sys
import threading

import numpy as np
import pytest

import keras_csg
from keras_csg.deployment import answering_model, find_model
from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats.openvino import OpenVinoFormat
from keras_csg.deployment.graph.outputs import OUTPUTS
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    signed_backbone,
    some_images,
    trained_classifier,
    write_as,
)
from tests.tiny import tiny_data

pytest.importorskip("openvino")


def write(model, path, **kwargs):
    return write_as(OpenVinoFormat(), model, path, **kwargs)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    return write(model, tmp_path_factory.mktemp("openvino") / "model")


@pytest.mark.parametrize("samples", [1, 5])
def test_openvino_answers_as_the_model_does(model, path, samples):
    images = some_images(samples)
    opened = keras_csg.open_exported(path)
    assert opened.runtime.startswith("openvino 20")
    expected = answers_by_hand(model, images)
    assert_same_answers(opened.answer(images), expected)
    for name, values in opened.answer(images).items():
        assert values.dtype == ("int32" if name == "class_id" else "float32")


def test_it_lives_in_a_folder_with_its_labels(path):
    names = {file.name for file in path.iterdir()}
    assert names == {"model.xml", "model.bin", "keras_csg.json", "labels.txt"}
    assert (path / "labels.txt").read_text() == "a\nb\nc\nd\n"
    assert keras_csg.read_metadata(path).format == "openvino"
    assert keras_csg.read_metadata(path / "model.xml").format == "openvino"
    assert find_model(path) == path
    assert set(keras_csg.read_metadata(path).outputs) == set(OUTPUTS)


def test_bytes_go_in(model, tmp_path):
    path = write(model, tmp_path / "bytes", input_dtype="uint8")
    images = some_images(dtype="uint8")
    opened = keras_csg.open_exported(path)
    assert_same_answers(opened.answer(images), answers_by_hand(model, images))


def test_signed_maps_without_a_gate(tmp_path):
    model = trained_classifier(signed_backbone(), gated=False)
    opened = OpenVinoFormat().open(write(model, tmp_path / "signed"))
    assert_same_answers(
        opened.answer(some_images()), answers_by_hand(model, some_images())
    )


def test_it_is_published_whole_with_its_proof(model, tmp_path):
    path = tmp_path / "model"
    report = keras_csg.export(
        model, path, "openvino", outputs=["probabilities"]
    )
    assert report["format"] == "openvino" and report["gaps"]
    assert {p.name for p in tmp_path.iterdir()} == {"model", "model.proof.json"}
    sizes = [file.stat().st_size for file in path.iterdir()]
    assert report["bytes"] == sum(sizes)


@pytest.mark.parametrize("quantize", ["float16", "int8"])
def test_narrow_numbers_take_less_and_answer_alike(
    quantize, model, path, tmp_path
):
    report = keras_csg.export(
        model,
        tmp_path / "narrow",
        "openvino",
        quantize=quantize,
        calibration=some_images(40),
        images=some_images(40, seed=4),
        min_agreement=0.9,
    )
    assert report["quantization"] == quantize
    assert report["gaps"]["probabilities"] < 0.1
    weights, whole = (
        (folder / "model.bin").stat().st_size
        for folder in (tmp_path / "narrow", path)
    )
    assert weights < whole
    metadata = keras_csg.read_metadata(tmp_path / "narrow")
    assert metadata.quantization == quantize


def test_several_threads_get_their_own_answers(model, path):
    opened = keras_csg.open_exported(path)
    images = tiny_data(4)[0].astype("float32")
    expected = answers_by_hand(model, images)["probabilities"]
    failed = []

    def ask(number):
        for _ in range(20):
            given = opened.answer(images[number : number + 1])["probabilities"]
            if not np.allclose(given, expected[number], atol=1e-4):
                failed.append(number)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_damaged_or_foreign_folder_is_refused(path, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(path, damaged)
    graph = damaged / "model.xml"
    graph.write_bytes(graph.read_bytes()[:500])
    with pytest.raises(ValueError, match="is damaged: its graph"):
        keras_csg.open_exported(damaged)
    (damaged / "keras_csg.json").unlink()
    with pytest.raises(ValueError, match="no OpenVINO model that keras_csg"):
        keras_csg.read_metadata(damaged)
    with pytest.raises(ValueError, match="is no OpenVINO model: no model.xml"):
        OpenVinoFormat().read_metadata(tmp_path)


def test_a_missing_runtime_is_named(model, path, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ValueError, match=r"pip install 'keras-csg\[openvino\]"):
        keras_csg.open_exported(path)
    with pytest.raises(ValueError, match=r"pip install 'keras-csg\[openvino\]"):
        keras_csg.export(model, tmp_path / "m", "openvino")
    assert keras_csg.read_metadata(path).backbone == "tiny"


def test_writing_prints_nothing(model, tmp_path, capfd):
    write(model, tmp_path / "model")
    assert capfd.readouterr() == ("", "")


def test_bytes_are_multiplied_without_overflow_on_every_processor(tmp_path):
    """Two products of any byte and a weight fit into 16 bits."""
    import openvino

    model = trained_classifier()
    answering = answering_model(model)
    path = tmp_path / "int8"
    OpenVinoFormat().write(
        answering,
        describe(model, answering, "openvino", "int8"),
        path,
        quantize="int8",
        calibration=some_images(16),
    )
    graph = openvino.Core().read_model(path / "model.xml")
    kernels = [
        op.data
        for op in graph.get_ops()
        if op.get_type_name() == "Constant"
        and op.get_element_type() == openvino.Type.i8
        and op.data.ndim == 4
    ]
    assert kernels
    for kernel in kernels:
        largest = np.abs(kernel.astype(int)).max()
        assert 2 * 255 * largest <= np.iinfo(np.int16).max
        assert largest >= 63  # All of the bits that there are.


def test_what_it_cannot_write_is_one_line(model, tmp_path, monkeypatch):
    import openvino

    def full(*args, **kwargs):
        raise RuntimeError("basic_ios::clear: iostream error")

    monkeypatch.setattr(openvino, "save_model", full)
    with pytest.raises(ValueError, match="cannot write .*iostream.* TMPDIR"):
        keras_csg.export(model, tmp_path / "model", "openvino")
    assert not [p for p in tmp_path.iterdir() if p.name == "model"]
