"""The examples run, with settings that make them quick."""

import importlib.util
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.deployment.prediction import predict_files
from tests.deployment.test_without_tensorflow import BAR
from tests.tiny import registered_tiny, tiny_classifier
from tests.tiny_run import make_tiny_run

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_train_digits(capsys):
    results = load("train_digits.py").main(epochs=1, image_size=8)
    assert 0 <= results["accuracy"] <= 1
    assert "filters of digit 9" in capsys.readouterr().out


@pytest.mark.slow
def test_gate_in_a_keras_model():
    gate_matrix = load("gate_in_a_keras_model.py").main(epochs=30)
    np.testing.assert_array_equal(gate_matrix.max(axis=0), np.ones(8))
    assert gate_matrix.mean() < 0.75


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A picture with a flag for turning it, as cameras write."""
    path = tmp_path_factory.mktemp("photos") / "photo.jpg"
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 3), "uint8")
    picture = Image.fromarray(pixels).resize((24, 40))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(path, exif=exif)
    return path


@pytest.fixture(scope="module")
def model():
    model = tiny_classifier(class_names=["ant", "bee", "cat", "dog"])
    gate_matrix = np.full((4, 6), 0.25, "float32")
    gate_matrix[[0, 1, 2, 3, 0, 1], range(6)] = 1
    model.gate.gate_matrix.assign(gate_matrix)
    return model


def check_answer(model, photo, class_name, answer):
    """Holds an answer against that of the package itself."""
    (expected,) = predict_files(model, [photo])
    likeliest = expected["classes"][0]
    assert class_name == likeliest["class_name"]
    assert answer["probabilities"].max() == pytest.approx(
        likeliest["probability"], abs=1e-5
    )


@pytest.mark.parametrize("input_dtype", ["float32", "uint8"])
def test_classify_with_onnxruntime(model, photo, input_dtype, tmp_path, capsys):
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path, input_dtype=input_dtype)
    example = load("classify_with_onnxruntime.py")
    class_name, answer = example.main(str(path), photo)
    check_answer(model, photo, class_name, answer)
    probability, agreement = (
        answer[name].max() for name in ("probabilities", "gate_agreement")
    )
    assert capsys.readouterr().out.split("\n") == [
        f"class           {class_name}",
        f"probability     {probability:.4f}",
        f"gate agreement  {agreement:.4f}",
        "",
    ]


@pytest.mark.parametrize("input_dtype", ["float32", "uint8"])
def test_heatmap_with_litert(model, photo, input_dtype, tmp_path):
    path, picture_path = tmp_path / "model.tflite", tmp_path / "heatmap.png"
    keras_csg.export(model, path, input_dtype=input_dtype)
    example = load("heatmap_with_litert.py")
    class_name, answer = example.main(str(path), photo, picture_path)
    check_answer(model, photo, class_name, answer)
    picture = np.asarray(Image.open(picture_path), "float32")
    assert picture.shape == (512, 1024, 3)
    # Light where the heatmap is: as it was told, and not turned or mirrored.
    drawn = picture[:, 512:] - 0.4 * picture[:, :512]
    drawn = drawn.mean(-1).reshape(8, 64, 8, 64).mean((1, 3))
    likeness = np.corrcoef(drawn.ravel(), answer["heatmap"].ravel())[0, 1]
    assert likeness > 0.9


def test_classifying_says_what_a_file_has_not(model, photo, tmp_path, capsys):
    path = tmp_path / "model.onnx"
    example = load("classify_with_onnxruntime.py")
    keras_csg.export(model, path, outputs=["probabilities"])
    class_name, answer = example.main(path, photo)
    check_answer(model, photo, class_name, answer)
    assert "gate agreement  not in this file" in capsys.readouterr().out
    keras_csg.export(model, path, outputs=["class_id"], overwrite=True)
    with pytest.raises(ValueError, match="without probabilities.*: class_id"):
        example.main(path, photo)


def test_a_heatmap_of_a_file_without_one_is_refused(model, photo, tmp_path):
    path, picture = tmp_path / "model.tflite", tmp_path / "heatmap.png"
    keras_csg.export(model, path, outputs=["probabilities", "class_id"])
    with pytest.raises(ValueError, match="exported without heatmap, which"):
        load("heatmap_with_litert.py").main(path, photo, picture)
    assert not picture.exists()


@pytest.mark.parametrize(
    ("name", "file", "more"),
    [
        ("classify_with_onnxruntime.py", "model.onnx", []),
        ("heatmap_with_litert.py", "model.tflite", ["heatmap.png"]),
    ],
)
def test_an_example_needs_no_tensorflow(name, file, more, photo, tmp_path):
    """A file of 0.1.0, run with the libraries of a small installation."""
    model = EXAMPLES.parent / "tests/compatibility/0.1.0/run/export" / file
    code = (
        f"{BAR}import runpy\n"
        f"sys.argv[:] = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    args = [EXAMPLES / name, model, photo, *(tmp_path / m for m in more)]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / picture).exists() for picture in more)


EXPORTED = EXAMPLES.parent / "tests/compatibility/0.1.0/run/export"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.onnx", "photo.jpg"], "There is no exported model none."),
        ([EXPORTED / "model.onnx", "none.jpg"], "none.jpg"),
        ([EXPORTED / "model.onnx", "text.jpg"], "text.jpg"),
        ([EXPORTED / "model.onnx"], "required: photo"),
    ],
)
@pytest.mark.parametrize(
    "name", ["classify_with_onnxruntime.py", "heatmap_with_litert.py"]
)
def test_a_mistake_is_one_line(
    name, args, message, photo, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(photo, "photo.jpg")
    (tmp_path / "text.jpg").write_text("no photograph")
    args = [str(arg) for arg in args]
    if name.startswith("heatmap"):
        args = [arg.replace("model.onnx", "model.tflite") for arg in args]
        args += ["map.png"] * (len(args) == 2)
    with pytest.raises(SystemExit) as ended:
        load(name).run(args)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    line = err.splitlines()[-1]  # Above it argparse shows the usage.
    assert message in line
    assert "required" in line or len(err.splitlines()) == 1
    assert not (tmp_path / "map.png").exists()


def test_a_heatmap_is_not_drawn_into_a_folder_that_is_not_there(
    photo, tmp_path, capsys
):
    picture = tmp_path / "none" / "map.png"
    args = [EXPORTED / "model.tflite", photo, picture]
    with pytest.raises(SystemExit) as ended:
        load("heatmap_with_litert.py").run([str(arg) for arg in args])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(picture) in line


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("search.py", "optuna"),
        ("compare_with_gradcam.py", "tf_keras_vis"),
        ("faithfulness.py", "quantus"),
    ],
)
def test_a_package_that_is_missing_is_one_line(name, missing):
    script = EXAMPLES / name
    code = (
        "import runpy, sys\n"
        f"sys.modules[{missing!r}] = None\n"
        f"sys.path.insert(0, {str(script.parent)!r})\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert missing in line and "pip install" in line


@pytest.mark.slow
def test_draw_gate(tmp_path):
    with registered_tiny() as tiny:
        keras_csg.train(
            tmp_path / "run",
            backbone=tiny,
            epochs=1,
            image_size=8,
            batch_size=128,
            log=None,
        )
        load("draw_gate.py").main(tmp_path / "run", tmp_path / "gate.png")
    with Image.open(tmp_path / "gate.png") as picture:
        assert picture.size == (1000, 300)


@pytest.mark.slow
def test_ask_about_strange_images(tmp_path, capsys):
    pytest.importorskip("uvicorn", reason="pip install 'keras-csg[server]'")
    data = keras_csg.load_data("digits", image_size=8)
    run = make_tiny_run(tmp_path / "run", data, epochs=3)
    keras_csg.fit_detector(run, false_alarm_rate=0.1, limit=30, log=None)
    example = load("ask_about_strange_images.py")
    flagged = example.main(run, images=20)
    assert list(flagged) == ["clean", "attacked", "unfamiliar"]
    assert flagged["clean"] < 0.5 < flagged["unfamiliar"]
    clean, _, strange, shares = capsys.readouterr().out.splitlines()
    assert clean.startswith("clean       ") and "(score 0." in clean
    assert "not one of the known classes (score 1.00)" in strange
    assert shares.startswith("not known, of 20 each: clean ")
    images = tmp_path / "images"
    images.mkdir()
    for number in range(3):
        Image.new("RGB", (20, 20), "red").save(images / f"{number}.png")
    assert example.main(run, images, images=5)["unfamiliar"] > 0
