"""A LiteRT file gives in its own runtime what its model gives in Keras."""

import pathlib
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats.litert import LiteRTFormat
from keras_csg.deployment.formats.litert_graph import read_operations
from keras_csg.deployment.graph.answers import answering_model
from tests.tiny import CLASSES, tiny_classifier, tiny_data

OF_0_1_0 = (
    pathlib.Path(__file__).parents[2]
    / "compatibility/0.1.0/run/export/model.tflite"
)
NAMES = ["red", "green", "blue", "yéllow"]


class Exported:
    """A classifier, what it is asked, and the file it was written to."""

    def __init__(self, path, gated=True, input_dtype="float32", outputs=None):
        keras.utils.set_random_seed(0)
        self.model = tiny_classifier(gated=gated, class_names=NAMES)
        if gated:
            gate = np.random.default_rng(1).uniform(0, 1, (CLASSES, 6))
            self.model.gate.gate_matrix.assign(gate)
        self.answering = answering_model(self.model, outputs, input_dtype)
        self.metadata = describe(self.model, self.answering, "litert")
        self.path = path
        LiteRTFormat().write(self.answering, self.metadata, path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return Exported(tmp_path_factory.mktemp("litert") / "model.tflite")


def images(samples=9, dtype="float32"):
    return tiny_data(samples)[0].round().astype(dtype)


def test_any_number_of_images_gives_what_keras_gives(exported):
    opened = LiteRTFormat().open(exported.path)
    for samples in (1, 9, 3, 1):
        some = images(9)[-samples:]
        expected = exported.answering.predict(some, verbose=0)
        answers = opened.answer(some)
        assert list(answers) == list(exported.metadata.outputs)
        for name, values in expected.items():
            assert answers[name].dtype == values.dtype
            assert_allclose(answers[name], values, atol=1e-5, err_msg=name)


def test_answers_stay_as_they_were_when_the_next_images_are_asked(exported):
    opened = LiteRTFormat().open(exported.path)
    some = images(2)
    first = opened.answer(some[:1])["probabilities"]
    before = first.copy()
    opened.answer(some[1:])
    assert_array_equal(first, before)


def test_whole_numbers_as_images(tmp_path):
    exported = Exported(tmp_path / "m.tflite", gated=False, input_dtype="uint8")
    opened = LiteRTFormat().open(exported.path)
    some = images(3, "uint8")
    expected = exported.answering.predict(some, verbose=0)
    assert "gate_agreement" not in expected
    for name, values in opened.answer(some).items():
        assert_allclose(values, expected[name], atol=1e-5, err_msg=name)


def test_the_signature_names_the_image_and_the_answers(exported):
    interpreter = Interpreter(str(exported.path))
    assert interpreter.get_signature_list() == {
        "serving_default": {
            "inputs": ["images"],
            "outputs": sorted(exported.metadata.outputs),
        }
    }
    (details,) = interpreter.get_input_details()
    assert_array_equal(details["shape_signature"], [-1, 8, 8, 3])


def test_every_operation_is_one_of_the_runtime(exported):
    operations = read_operations(exported.path.read_bytes())
    kinds = [operation.kind for operation in operations]
    assert not any(operation.custom for operation in operations)
    # Batch normalisation is in the convolution's weights.
    after = kinds[kinds.index("CONV_2D") + 1]
    assert kinds.count("CONV_2D") == 1 and after == "MEAN"


@pytest.mark.parametrize("quantize", [None, "float16"])
def test_an_operation_that_litert_lacks_is_named_in_one_line(
    quantize, tmp_path, exported
):
    inputs = keras.Input((8, 8, 3), name="images")
    bits = keras.ops.argmax(inputs[:, 0, 0], axis=-1)
    model = keras.Model(inputs, {"class_id": bits})
    with pytest.raises(
        ValueError, match="no operation for BitwiseAnd"
    ) as error:
        LiteRTFormat().write(
            model, exported.metadata, tmp_path / "m.tflite", quantize=quantize
        )
    assert "\n" not in str(error.value)
    assert not any(tmp_path.iterdir())


def test_nothing_is_printed(tmp_path, capfd):
    exported = Exported(tmp_path / "m.tflite", outputs=["probabilities"])
    LiteRTFormat().open(exported.path).answer(images(1))
    assert capfd.readouterr() == ("", "")


def test_metadata_come_back(exported):
    read = LiteRTFormat().read_metadata(exported.path)
    assert_array_equal(read.gate_matrix, exported.metadata.gate_matrix)
    assert read.class_names == NAMES
    assert read.outputs == exported.metadata.outputs
    assert read.input == exported.metadata.input


def test_labels_are_a_file_that_any_zip_tool_reads(exported):
    with zipfile.ZipFile(exported.path) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt").decode().split() == NAMES


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_cut_short_is_named(share, exported, tmp_path):
    content = exported.path.read_bytes()
    path = tmp_path / "cut.tflite"
    path.write_bytes(content[: int(share * len(content))])
    for read in (LiteRTFormat().read_metadata, LiteRTFormat().open):
        with pytest.raises(ValueError, match="cut.tflite is no LiteRT") as e:
            read(path)
        assert "\n" not in str(e.value)


def test_a_file_of_others_is_named(exported, tmp_path):
    path = tmp_path / "other.tflite"
    path.write_bytes(b"A text that somebody gave the wrong name.")
    with pytest.raises(ValueError, match="other.tflite is no LiteRT file"):
        LiteRTFormat().read_metadata(path)
    keras.saving.save_model(exported.model, tmp_path / "m.keras")
    path.write_bytes((tmp_path / "m.keras").read_bytes())
    with pytest.raises(ValueError, match="other.tflite is no LiteRT file"):
        LiteRTFormat().read_metadata(path)
    content = exported.path.read_bytes()
    path.write_bytes(content[: content.index(b"PK\x03\x04")])
    Interpreter(str(path))  # It is a good one.
    with pytest.raises(ValueError, match="other.tflite is no .* exported"):
        LiteRTFormat().read_metadata(path)


def test_a_damaged_model_in_front_of_sound_metadata_is_named(
    exported, tmp_path
):
    content = exported.path.read_bytes()
    path = tmp_path / "damaged.tflite"
    middle = content.index(b"PK\x03\x04") // 2
    path.write_bytes(content[:8] + content[middle:])
    LiteRTFormat().read_metadata(path)
    with pytest.raises(ValueError, match="damaged.tflite is damaged"):
        LiteRTFormat().open(path)


def test_images_of_another_shape_or_type_are_named(exported):
    opened = LiteRTFormat().open(exported.path)
    with pytest.raises(ValueError, match=r"shape \(batch, 8, 8, 3\)"):
        opened.answer(images(1)[0])
    with pytest.raises(ValueError, match="must be float32"):
        opened.answer(images(1, "uint8"))


def test_without_the_runtime_the_package_is_named(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ValueError, match="pip install ai-edge-litert"):
        LiteRTFormat().open(exported.path)


def test_the_runtime_is_named_with_its_version(exported):
    assert (
        LiteRTFormat()
        .open(exported.path)
        .runtime.startswith("ai-edge-litert 2")
    )


def test_threads_that_open_files_leave_the_streams_as_they_were(tmp_path):
    code = f"""
import concurrent.futures, os, sys, threading
import keras_csg
opening = threading.Barrier(8)

def open_it(number):
    opening.wait()
    for _ in range(3):
        keras_csg.open_exported({str(OF_0_1_0)!r})
        os.write(1, b"o")

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(open_it, range(8)))
sys.stdout = None
keras_csg.open_exported({str(OF_0_1_0)!r})
print("heard", file=sys.__stdout__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "o" * 24 + "heard\n"
    assert "XNNPACK" not in done.stderr
