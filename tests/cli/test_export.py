import importlib.util
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_csg.training.opening import open_run

FILES = {
    "saved_model",
    "model.onnx",
    "model-float16.onnx",
    "model-int8.onnx",
    "model.tflite",
    "model-float16.tflite",
    "model-dynamic.tflite",
    "model-int8.tflite",
}
if importlib.util.find_spec("openvino"):
    FILES |= {"openvino", "openvino-float16", "openvino-int8"}


@pytest.fixture(scope="module")
def exported(export_tiny):
    """The folder of all that can be written of the tiny run."""
    return export_tiny("all")


def names_in(folder):
    """Returns the names in a folder but for those of what lies beside."""
    if not folder.exists():
        return set()
    names = {path.name for path in folder.iterdir()}
    return {n for n in names if not n.endswith(".json")}


def test_every_format_is_written_with_its_proof(exported):
    assert names_in(exported) == FILES
    for name in FILES:
        path = exported / name
        proof = json.loads((exported / f"{name}.proof.json").read_text())
        assert proof["path"] == str(path)
        files = path.rglob("*") if path.is_dir() else [path]
        sizes = [file.stat().st_size for file in files if file.is_file()]
        assert proof["bytes"] == sum(sizes)


def test_the_proof_is_on_the_validation_split(exported, tiny_run, digits):
    images, labels = digits.validation.images_and_labels()
    logits = np.asarray(open_run(tiny_run).load_model()(images))
    accuracy = np.mean(logits.argmax(axis=1) == labels)
    for name in FILES:
        proof = json.loads((exported / f"{name}.proof.json").read_text())
        assert proof["images"] == len(images)
        assert proof["proof_images"] == "given"
        assert proof["keras_accuracy"] == pytest.approx(accuracy)


def test_programs_get_json_and_people_lines_and_a_table(
    tiny_run, run_cli, tmp_path
):
    arguments = ["export", tiny_run, "--outputs", "class_id, probabilities"]
    code, out, err = run_cli(*arguments, "--out", tmp_path / "a", "--json")
    assert code == 0, err
    (proof,) = json.loads(out)["files"]
    assert set(proof["gaps"]) == {"probabilities"}
    assert proof["path"] == str(tmp_path / "a" / "model.onnx")
    assert len(err.splitlines()) == 1 and "model.onnx" in err
    code, out, err = run_cli(*arguments, "--out", tmp_path / "b")
    assert code == 0, err
    assert "accuracy" in out and "model.onnx" in out


def test_files_go_into_the_run_by_default(make_tiny_run, run_cli, tmp_path):
    run = make_tiny_run(tmp_path / "run")
    code, out, err = run_cli("export", run)
    assert code == 0, err
    assert names_in(run / "export") == {"model.onnx"}


@pytest.mark.parametrize(
    "args, word",
    [
        (["--format", "saved_model", "--quantize", "int8"], "onnx or litert"),
        (["--quantize", "dynamic"], "slower than float32"),
        (["--layout", "triton", "--format", "litert"], "litert"),
        (["--layout", "triton", "--format", "all"], "one format"),
        (["--layout", "tfserving", "--format", "onnx"], "onnx"),
        (["--layout", "triton", "--name", "a/b"], "a/b"),
        (["--layout", "triton", "--name", ".."], ".."),
        (["--name", "digits"], "--layout"),
        (["--version", "2"], "--layout"),
        (["--layout", "triton", "--version", "0"], "--version"),
        (["--name", ""], "--name"),
        (["--layout", "triton", "--name", ""], "--name"),
        (["--min-agreement", "nan"], "min_agreement=nan"),
        (["--format", "tflite"], "tflite"),
        (["--input", "int8"], "int8"),
        (["--outputs", "heatmaps"], "heatmaps"),
        (["--outputs", ","], "outputs"),
    ],
)
def test_a_wrong_argument_is_one_line(args, word, tiny_run, run_cli, tmp_path):
    out_folder = tmp_path / "out"
    code, out, err = run_cli("export", tiny_run, "--out", out_folder, *args)
    assert code == 2
    assert len(err.splitlines()) == 1 and word in err
    assert not out and not out_folder.exists()


def test_what_is_no_finished_run_is_named(tiny_run, run_cli, tmp_path):
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    shutil.copy(tiny_run / "config.json", unfinished)
    for path, word in ((tmp_path, "config.json"), (unfinished, "--resume")):
        code, out, err = run_cli("export", path)
        assert code == 2
        assert len(err.splitlines()) == 1 and word in err


def test_without_a_gate_its_outputs_are_refused(
    make_tiny_run, run_cli, tmp_path
):
    run = make_tiny_run(tmp_path / "standard", gated=False)
    code, out, err = run_cli("export", run, "--outputs", "gate_agreement")
    assert code == 2
    assert len(err.splitlines()) == 1 and "gate_agreement" in err
    code, out, err = run_cli("export", run, "--json")
    assert code == 0, err
    (proof,) = json.loads(out)["files"]
    assert "gate_agreement" not in proof["gaps"]
    assert "heatmap" in proof["gaps"]


def test_a_folder_that_cannot_be_is_named(tiny_run, run_cli, tmp_path):
    (tmp_path / "file").touch()
    out_folder = tmp_path / "file" / "out"
    code, out, err = run_cli("export", tiny_run, "--out", out_folder)
    assert code == 2
    assert len(err.splitlines()) == 1 and "file" in err


@pytest.mark.parametrize(
    "layout, name, model",
    [
        ("triton", "digits", "1/model.onnx"),
        ("tfserving", "mine", "1/saved_model.pb"),
    ],
)
def test_a_layout_is_named_after_the_run_or_as_told(
    layout, name, model, tiny_run, run_cli, tmp_path
):
    named = [] if name == tiny_run.name else ["--name", name]
    code, out, err = run_cli(
        "export", tiny_run, "--out", tmp_path, "--layout", layout, *named
    )
    assert code == 0, err
    assert names_in(tmp_path) == {name}
    assert (tmp_path / name / model).is_file()


def with_data(run, path, data):
    """Copies a run and says that its data are elsewhere."""
    shutil.copytree(run, path)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "data": str(data)}))
    return path


@pytest.fixture
def orphan(tiny_run, tmp_path):
    """A run whose folder of images is gone."""
    return with_data(tiny_run, tmp_path / "orphan", tmp_path / "gone")


def test_without_the_data_float_files_are_proved_on_random_pixels(
    orphan, run_cli
):
    code, out, err = run_cli("export", orphan, "--json")
    assert code == 0, err
    (proof,) = json.loads(out)["files"]
    assert proof["proof_images"] == "random" and proof["accuracy"] is None
    assert "random" in err and "`data_dir`" in err


def test_without_the_data_int8_stops_and_the_rest_stays(orphan, run_cli):
    code, out, err = run_cli(
        "export", orphan, "--format", "litert", "--quantize", "int8", "--json"
    )
    assert code == 2
    error = err.splitlines()[-1]
    assert "model-int8.tflite" in error and "`data_dir`" in error
    assert names_in(orphan / "export") == {"model.tflite"}
    results = json.loads(out)
    assert len(results["files"]) == len(results["failed"]) == 1


def test_a_folder_of_images_that_moved_is_named(
    tiny_run, digits, run_cli, tmp_path
):
    moved = tmp_path / "moved"
    images, labels = digits.train.images_and_labels(300)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = moved / digits.class_names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    run = with_data(tiny_run, tmp_path / "run", tmp_path / "gone")
    code, out, err = run_cli("export", run, "--data-dir", moved, "--json")
    assert code == 0, err
    (proof,) = json.loads(out)["files"]
    assert proof["proof_images"] == "given" and proof["accuracy"] > 0.3
    code, out, err = run_cli(
        "export", run, "--data-dir", tmp_path / "wrong", "--force"
    )
    assert code == 2
    assert len(err.splitlines()) == 1 and "wrong" in err
