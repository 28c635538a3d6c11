import json
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_csg.training.opening import open_run


@pytest.fixture(scope="module")
def exported(export_tiny):
    return export_tiny("float16")


def test_predictions_are_the_models(trained, digit, run_cli):
    paths, images = digit
    code, out, err = run_cli("predict", trained, *paths, "--json")
    assert code == 0, err
    model = open_run(trained).load_model()
    logits = np.asarray(model(images))
    # A processor may train in bfloat16, which each way rounds elsewhere.
    close = 1e-4 if model.dtype_policy.name == "float32" else 3e-2
    for row, prediction, path in zip(
        logits, json.loads(out), paths, strict=True
    ):
        assert prediction["image"] == str(path)
        best = prediction["classes"][0]
        assert best["class_name"] == model.class_names[row.argmax()]
        p = np.exp(row - row.max())
        p /= p.sum()
        assert best["probability"] == pytest.approx(p.max(), rel=close)
        assert len(prediction["classes"]) == 3
        shares = [entry["share"] for entry in prediction["filters"]]
        assert shares == sorted(shares, reverse=True)


def test_people_get_words(trained, digit, run_cli):
    code, out, err = run_cli("predict", trained, digit[0][0], "--top", "1")
    assert code == 0
    assert "class-specific head" in out and "filters that speak" in out
    assert "gate agreement" in out


@pytest.mark.parametrize(
    "name, tolerance",
    [
        ("saved_model", 1e-4),
        ("model.onnx", 1e-4),
        ("model.tflite", 1e-4),
        ("model-float16.tflite", 1e-2),
    ],
)
def test_a_file_predicts_as_its_run_does(
    name, tolerance, tiny_run, exported, digit, run_cli
):
    paths, _ = digit
    code, out, err = run_cli("predict", tiny_run, *paths, "--json")
    assert code == 0, err
    expected = json.loads(out)
    code, out, err = run_cli("predict", exported / name, *paths, "--json")
    assert code == 0, err
    for given, known in zip(json.loads(out), expected, strict=True):
        assert given.keys() == known.keys()
        assert given["image"] == known["image"]
        assert given["gate_agreement"] == approx(
            known["gate_agreement"], tolerance
        )
        for key, name, value in (
            ("classes", "class_name", "probability"),
            ("filters", "filter", "share"),
        ):
            values = [entry[value] for entry in given[key]]
            expected_values = [entry[value] for entry in known[key]]
            assert values == approx(expected_values, tolerance)
            # Those as near as the tolerance may have changed their places.
            by_name = {entry[name]: entry[value] for entry in known[key]}
            for entry in given[key]:
                if entry[name] in by_name:
                    expected_value = by_name[entry[name]]
                    assert entry[value] == approx(expected_value, tolerance)


def approx(value, tolerance):
    return pytest.approx(value, abs=tolerance)


def test_a_servers_folder_predicts_by_its_newest_version(
    exported, digit, run_cli, tmp_path
):
    for version, content in (("2", None), ("10", "model.onnx")):
        (tmp_path / "model" / version).mkdir(parents=True)
        if content:
            shutil.copy(exported / content, tmp_path / "model" / version)
    code, out, err = run_cli("predict", tmp_path / "model", digit[0][0])
    assert code == 0, err
    assert "gate agreement" in out


@pytest.mark.parametrize("source", ["run", "model.onnx"])
def test_heatmaps_are_drawn_where_asked(
    source, tiny_run, exported, digit, run_cli, tmp_path
):
    paths, _ = digit
    path = tiny_run if source == "run" else exported / source
    folder = tmp_path / "new" / "heatmaps"
    code, out, err = run_cli("predict", path, *paths, "--heatmap", folder)
    assert code == 0, err
    pictures = sorted(folder.iterdir())
    assert [p.name for p in pictures] == [f"{i}.heatmap.png" for i in range(3)]
    assert all(str(picture) in out for picture in pictures)
    with Image.open(pictures[0]) as picture:
        assert picture.size == (256, 256) and picture.mode == "RGB"


def test_a_file_without_what_is_needed_is_refused(
    tiny_run, digit, run_cli, tmp_path
):
    code, out, err = run_cli(
        *["export", tiny_run, "--out", tmp_path],
        *["--outputs", "probabilities,class_id"],
    )
    assert code == 0, err
    code, out, err = run_cli(
        *["predict", tmp_path / "model.onnx", digit[0][0]],
        *["--heatmap", tmp_path / "pictures"],
    )
    assert code == 2
    assert len(err.splitlines()) == 1 and "lacks heatmap" in err
    assert not (tmp_path / "pictures").exists()
    code, out, err = run_cli(
        "predict", tmp_path / "model.onnx", digit[0][0], "--json"
    )
    assert code == 0, err
    assert json.loads(out)[0].keys() == {"image", "classes"}


@pytest.mark.parametrize("name", ["a.onnx", "a.tflite", "a.keras", "folder"])
def test_what_is_no_exported_file_is_named(name, digit, run_cli, tmp_path):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"nothing of use")
    code, out, err = run_cli("predict", path, digit[0][0])
    assert code == 2
    assert len(err.splitlines()) == 1 and name in err


@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
def test_a_file_cut_short_is_named(name, exported, digit, run_cli, tmp_path):
    content = (exported / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    code, out, err = run_cli("predict", tmp_path / name, digit[0][0])
    assert code == 2
    assert len(err.splitlines()) == 1 and name in err


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_what_is_no_run_is_named(command, run_cli, tmp_path):
    image = [tmp_path / "a.png"] if command == "predict" else []
    code, out, err = run_cli(command, tmp_path / "nothing", *image)
    assert code == 2
    assert len(err.splitlines()) == 1 and "nothing" in err


def cut(content):
    return content[:5000]


def garble(content):
    """The archive is whole, its content is not."""
    middle = len(content) // 2
    return content[:middle] + bytes(2000) + content[middle + 2000 :]


@pytest.mark.parametrize("damage", [cut, garble])
def test_a_damaged_model_is_named(damage, trained, digit, run_cli, tmp_path):
    config = (trained / "config.json").read_bytes()
    (tmp_path / "config.json").write_bytes(config)
    model = (trained / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(damage(model))
    code, out, err = run_cli("predict", tmp_path, digit[0][0])
    assert code == 2
    assert len(err.splitlines()) == 1 and "model.keras" in err


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_an_image_that_cannot_be_read_is_named(
    trained, run_cli, tmp_path, content
):
    path = tmp_path / "a.png"
    if content:
        path.write_bytes(content)
    code, out, err = run_cli("predict", trained, path)
    assert code == 2
    assert len(err.splitlines()) == 1 and "a.png" in err
