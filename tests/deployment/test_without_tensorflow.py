"""Exported files are opened, read and asked without TensorFlow or Keras."""

import json
import os
import shutil
import subprocess
import sys
import venv

import numpy as np
import pytest
from PIL import Image

from keras_csg.commands import needs_tensorflow
from keras_csg.deployment.formats.onnx_properties import (
    NoOnnxError,
    read_properties,
)
from tests.source_tree import ROOT
from tests.test_packaging import build_wheel

FILES = ROOT / "tests/compatibility/0.1.0"
EXPORTED = FILES / "run/export"
MODELS = ("model.onnx", "model.tflite")
# `None` among the modules bars the import of one that is installed.
BARRED = (
    *("tensorflow", "keras", "tf2onnx", "onnx", "h5py", "matplotlib"),
    *("sklearn", "scipy", "filelock", "imagehash", "tensorflow_datasets"),
)
BAR = f"import sys; sys.modules |= dict.fromkeys({BARRED!r})\n"
PROBABILITIES = "model.onnx/probabilities"
LIGHT = ("numpy", "pillow", "onnxruntime", "lazy-loader", "click", "rich")


@pytest.fixture(scope="module")
def known():
    """Images, and what 0.1.0 answered of them."""
    with np.load(FILES / "answers.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def image(known, tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(known["images"][0].astype("uint8")).save(path)
    return path


def run_barred(code, *args):
    done = subprocess.run(
        [sys.executable, "-c", BAR + code, *map(str, args)],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def probability_of(prediction):
    return prediction["classes"][0]["probability"]


@pytest.mark.parametrize("name", MODELS)
def test_the_library_opens_reads_and_predicts(name, known, image):
    code = (
        "import json, keras_csg\n"
        "model, image = sys.argv[1:]\n"
        "exported = keras_csg.open_exported(model)\n"
        "assert keras_csg.read_metadata(model).backbone == 'resnet20'\n"
        "found = keras_csg.predict(exported, image)\n"
        "assert found == keras_csg.predict(model, image)\n"
        "print(json.dumps(found))"
    )
    status, out, err = run_barred(code, EXPORTED / name, image)
    assert status == 0, err
    (prediction,) = json.loads(out)
    assert probability_of(prediction) == pytest.approx(
        known[PROBABILITIES][0].max(), abs=1e-4
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_command_line_predicts(name, known, image):
    code = "from keras_csg_cli.main import main; main(sys.argv[1:])"
    status, out, err = run_barred(
        code, "predict", EXPORTED / name, image, "--json"
    )
    assert status == 0, err
    (prediction,) = json.loads(out)
    assert probability_of(prediction) == pytest.approx(
        known[PROBABILITIES][0].max(), abs=1e-4
    )


def test_a_heatmap_takes_matplotlib(image, tmp_path):
    code = "from keras_csg_cli.main import main; main(sys.argv[1:])"
    status, out, err = run_barred(
        *(code, "predict", EXPORTED / "model.onnx", image),
        *("--heatmap", tmp_path / "maps"),
    )
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1 and "pip install matplotlib" in err
    assert not (tmp_path / "maps").exists()


@pytest.mark.parametrize("source", ["run", "run/export/saved_model"])
def test_what_takes_tensorflow_is_refused_in_one_line(source, image):
    code = "from keras_csg_cli.main import main; main(sys.argv[1:])"
    status, out, err = run_barred(code, "predict", FILES / source, image)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "needs TensorFlow, which is not installed" in err


@pytest.mark.parametrize(
    "source, images, message",
    [
        ("none.onnx", "image.png", "neither a run nor an exported file none.o"),
        ("image.png", "image.png", "The path must end in .onnx or"),
        (".", "image.png", "no version of a model. There is birds.onnx, fish"),
        ("run", "none*.png", "There is no image file none*.png."),
    ],
)
def test_a_mistake_is_named_before_tensorflow_is_imported(
    source, images, message, image
):
    (image.parent / "run").mkdir()
    (image.parent / "run/config.json").write_text("{}")
    (image.parent / "fish/1").mkdir(parents=True)
    shutil.copy(EXPORTED / "model.onnx", image.parent / "fish/1")
    shutil.copy(EXPORTED / "model.onnx", image.parent / "birds.onnx")
    code = (
        "import os; os.chdir(sys.argv.pop(1))\n"
        "from keras_csg_cli.main import main; main(sys.argv[1:])"
    )
    status, out, err = run_barred(code, image.parent, "predict", source, images)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1 and message in err


@pytest.mark.parametrize(
    "source, needed",
    [
        ("run", True),
        ("run/model.keras", True),
        ("run/export/saved_model", True),
        ("run/export/model.onnx", False),
        ("run/export/model.tflite", False),
    ],
)
def test_only_what_runs_in_tensorflow_takes_it(source, needed):
    assert needs_tensorflow(FILES / source) is needed


def test_of_a_servers_folder_the_newest_version_counts(tmp_path):
    (tmp_path / "1").mkdir()
    shutil.copy(EXPORTED / "model.onnx", tmp_path / "1")
    assert not needs_tensorflow(tmp_path)
    shutil.copytree(EXPORTED / "saved_model", tmp_path / "2/model.savedmodel")
    assert needs_tensorflow(tmp_path)


def test_weights_by_name_take_tensorflow():
    assert needs_tensorflow("weights:cifar10")


def test_properties_are_those_that_onnx_reads():
    onnx = pytest.importorskip("onnx")
    path = EXPORTED / "model.onnx"
    proto = onnx.load(path)
    expected = {entry.key: entry.value for entry in proto.metadata_props}
    assert read_properties(path) == expected


def test_properties_before_the_graph_are_found(tmp_path):
    """Fields of a message may come in any order."""
    onnx = pytest.importorskip("onnx")
    proto = onnx.load(EXPORTED / "model.onnx")
    last = onnx.ModelProto()
    last.metadata_props.extend(proto.metadata_props)
    del proto.metadata_props[:]
    path = tmp_path / "model.onnx"
    path.write_bytes(last.SerializeToString() + proto.SerializeToString())
    assert read_properties(path) == read_properties(EXPORTED / "model.onnx")


def test_what_is_cut_short_anywhere_is_no_onnx_file(tmp_path):
    whole = (EXPORTED / "model.onnx").read_bytes()
    ends = np.linspace(1, len(whole) - 1, 50, dtype=int)
    properties = read_properties(EXPORTED / "model.onnx")
    path = tmp_path / "model.onnx"
    for end in ends:
        path.write_bytes(whole[:end])
        try:  # Between two fields it is whole, and lacks the later ones.
            assert read_properties(path) != properties
        except NoOnnxError:
            pass


@pytest.mark.parametrize(
    "content",
    [
        b"nothing of use",
        b"\xff" * 20,
        b"\x72",  # The metadata, and nothing of them.
        b"\x72\x04\x0a\x02\xff\xfe",  # A key that is no text.
        b"\x00\x00",  # There is no field 0.
    ],
)
def test_what_is_no_message_is_no_onnx_file(content, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(NoOnnxError):
        read_properties(path)


@pytest.mark.slow
def test_the_wheel_predicts_where_little_is_installed(image, known, tmp_path):
    """The six packages that docs/exporting.md names are enough."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet"]
    fetched = subprocess.run([*install, *LIGHT], capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"pip cannot install: {fetched.stderr.splitlines()[-1]}")
    wheel = build_wheel(tmp_path)
    subprocess.run([*install, "--no-deps", wheel], check=True)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [
            tmp_path / "venv/bin/keras-csg",
            "predict",
            EXPORTED / "model.onnx",
            image,
            "--json",
        ],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    (prediction,) = json.loads(done.stdout)
    assert probability_of(prediction) == pytest.approx(
        known[PROBABILITIES][0].max(), abs=1e-4
    )
