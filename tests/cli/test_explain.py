import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from keras_csg.models.float32 import in_float32
from keras_csg.training.opening import open_run
from tests.tiny_run import make_tiny_run


@pytest.fixture(scope="module")
def exported(export_tiny):
    return export_tiny("float16")


def test_people_get_sentences_and_pictures(trained, digit, run_cli, tmp_path):
    folder = tmp_path / "out"
    code, out, err = run_cli(
        "explain", trained, *digit[0], "--for", "3", "--out", folder
    )
    assert code == 0, err
    assert "carried by filter" in out and "Why " in out
    listed = json.loads((folder / "explanations.json").read_text())["images"]
    assert len(listed) == len(digit[0])
    for entry in listed:
        for kind in ("picture", "heatmap", "other_heatmap"):
            with Image.open(entry[kind]) as picture:
                assert min(picture.size) >= 256


def test_json_has_logits_that_filters_sum_to(trained, digit, run_cli):
    paths, images = digit
    code, out, err = run_cli(
        "explain", trained, *paths, "--filters", "1000", "--json"
    )
    assert code == 0, err
    model = in_float32(open_run(trained).load_model())
    logits = np.asarray(model(images))
    found = json.loads(out)["images"]
    for row, entry in zip(logits, found, strict=True):
        evidence = entry["predicted"]
        parts = [part["contribution"] for part in evidence["filters"]]
        assert sum(parts) + evidence["bias"] == pytest.approx(
            row.max(), abs=1e-4
        )
        assert evidence["logit"] == pytest.approx(
            sum(parts) + evidence["bias"], abs=1e-4
        )


@pytest.mark.parametrize("name", ["saved_model", "model.onnx", "model.tflite"])
def test_a_file_explains_what_it_predicts(
    name, tiny_run, exported, digit, run_cli
):
    paths, images = digit
    code, out, err = run_cli("explain", exported / name, *paths, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert "no other class" in " ".join(found["limits"])
    model = open_run(tiny_run).load_model()
    whole = model.explain(images)
    specific = (
        whole.predicted.contributions
        * (whole.gate_matrix[whole.predicted.classes])
    )
    for index, entry in enumerate(found["images"]):
        evidence = entry["predicted"]
        assert evidence["logit"] is None
        for part in evidence["filters"]:
            assert part["contribution"] == pytest.approx(
                specific[index, part["filter"]], abs=1e-3
            )


def test_a_keras_file_explains_as_its_run(tiny_run, digit, run_cli, tmp_path):
    file = tmp_path / "copy.keras"
    shutil.copy(open_run(tiny_run).model_path, file)
    answers = [
        run_cli("explain", source, *digit[0], "--json")
        for source in (tiny_run, file)
    ]
    assert answers[0][:2] == answers[1][:2]


def test_pictures_do_not_replace_images(tiny_run, digit, run_cli, tmp_path):
    names = ["a.explained.png", "a.png"]
    for name in names:
        shutil.copy(digit[0][0], tmp_path / name)
    before = [(tmp_path / name).read_bytes() for name in names]
    code, _, err = run_cli("explain", tiny_run, tmp_path, "--out", tmp_path)
    assert code == 0, err
    assert [(tmp_path / name).read_bytes() for name in names] == before
    assert (tmp_path / "a-2.explained.png").exists()


@pytest.mark.parametrize(
    "change, message",
    [
        (["--for", "elephant"], "There is no class 'elephant'; the nearest"),
        (["--filters", "0"], "--filters"),
        (["--without", "99"], "There is no filter 99"),
        (["missing.png"], "There is no image file missing.png"),
        (["--out", "/dev/null/x"], "/dev/null/x"),
        (["--galleries"], "name a folder"),
        (["--for", "1", "--for", "2"], "--for takes one class"),
        (["--filters", "x"], "--filters"),
    ],
)
def test_a_mistake_is_one_line(change, message, tiny_run, digit, run_cli):
    code, out, err = run_cli("explain", tiny_run, digit[0][0], *change)
    assert code == 2 and message in err
    assert err.strip().count("\n") == 0


def test_what_holds_no_classifier_is_named(run_cli, digit, tmp_path):
    other = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(other)
    code, _, err = run_cli("explain", other, digit[0][0])
    assert code == 2 and "holds no CSGClassifier" in err
    (tmp_path / "empty").mkdir()
    code, _, err = run_cli("explain", other, tmp_path / "empty")
    assert code == 2 and "There are no images" in err
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    code, _, err = run_cli("explain", "weights:cifar10", broken)
    assert code == 2 and f"Cannot read the image {broken}" in err
    (tmp_path / "empty.png").touch()
    code, _, err = run_cli(
        "explain", "weights:cifar10", broken, tmp_path / "empty.png"
    )
    assert code == 2 and "None of 2 images is whole. Cannot read" in err


def test_broken_files_do_not_stop_the_others(
    tiny_run, digit, run_cli, tmp_path
):
    known = run_cli("explain", tiny_run, *digit[0], "--json")[1]
    folder, out = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    for path in digit[0]:
        shutil.copy(path, folder)
    broken = [folder / "a.png", folder / "z.jpg"]
    broken[0].write_bytes(b"no image")
    broken[1].touch()
    code, text, err = run_cli(
        "explain", tiny_run, folder, "--json", "--out", out
    )
    assert code == 2
    found, known = json.loads(text), json.loads(known)
    for entry, expected in zip(found["images"], known["images"], strict=True):
        assert entry["probabilities"] == expected["probabilities"]
    assert [
        str(path) in line
        for path, line in zip(broken, found["unread"], strict=True)
    ] == [True, True]
    assert "2 of 5 images have no explanation: Cannot read the image" in err
    assert len(list(out.glob("*.explained.png"))) == len(digit[0])


def test_a_folder_with_pictures_of_before_has_the_same_images(
    tiny_run, digit, run_cli, tmp_path
):
    named = tmp_path / "own.heatmap.png"  # A person's, of that name.
    shutil.copy(digit[0][0], named)
    code, _, err = run_cli("explain", tiny_run, tmp_path, "--out", tmp_path)
    assert code == 0, err
    code, _, err = run_cli("predict", tiny_run, tmp_path, "--heatmap", tmp_path)
    assert code == 0, err
    code, out, err = run_cli("predict", tiny_run, tmp_path, "--json")
    assert code == 0, err
    found = [entry["image"] for entry in json.loads(out)]
    expected = [tmp_path / path.name for path in digit[0]]
    assert sorted(found) == sorted(map(str, [*expected, named]))


def test_an_exported_file_knows_no_other_class(exported, digit, run_cli):
    code, _, err = run_cli(
        "explain", exported / "model.onnx", digit[0][0], "--for", "3"
    )
    assert code == 2 and "answers for the predicted class alone" in err
    code, _, err = run_cli(
        "explain", exported / "model.onnx", digit[0][0], "--without", "3"
    )
    assert code == 2 and "with all filters" in err


def test_filters_are_switched_off(tiny_run, digit, run_cli):
    code, out, err = run_cli(
        "explain", tiny_run, digit[0][0], "--without", "1, 2", "--json"
    )
    assert code == 0, err
    model = open_run(tiny_run).load_model()
    expected = model.explain(str(digit[0][0]), without=[1, 2]).to_dict()
    assert json.loads(out)["images"][0]["probabilities"] == pytest.approx(
        expected["images"][0]["probabilities"], rel=1e-5
    )


def test_galleries_show_what_filters_look_for(
    tiny_run, exported, digit, run_cli, tmp_path
):
    sizes = []
    for more in ([], ["--galleries"]):
        folder = tmp_path / f"out{len(sizes)}"
        code, _, err = run_cli(
            "explain", tiny_run, digit[0][0], "--out", folder, *more
        )
        assert code == 0, err
        with Image.open(folder / "0.explained.png") as picture:
            sizes.append(picture.height)
    assert sizes[1] > sizes[0] + 50
    file = exported / "model.onnx"
    code, _, err = run_cli(
        "explain", file, digit[0][0], "--out", tmp_path / "no", "--galleries"
    )
    assert code == 2 and "name a run" in err


def test_a_run_is_no_place_for_pictures(tiny_run, digit, run_cli, tmp_path):
    before = sorted(open_run(tiny_run).path.iterdir())
    code, _, err = run_cli("explain", tiny_run, digit[0][0], "--out", tiny_run)
    assert code == 2 and "--out must not be a run" in err
    assert sorted(open_run(tiny_run).path.iterdir()) == before
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    code, _, err = run_cli(
        "explain", tiny_run, broken, "--out", tmp_path / "out"
    )
    assert code == 2 and not (tmp_path / "out").exists()


def test_it_says_what_predict_says_also_of_half_precision(
    digits, digit, run_cli, tmp_path
):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        run = make_tiny_run(tmp_path / "half", digits, epochs=1)
    finally:
        keras.config.set_dtype_policy(policy)
    assert open_run(run).load_model().dtype_policy.name == "mixed_bfloat16"
    said = [
        json.loads(run_cli(command, run, digit[0][0], "--json")[1])
        for command in ("predict", "explain")
    ]
    best = said[0][0]["classes"][0]
    evidence = said[1]["images"][0]["predicted"]
    assert evidence["class_name"] == best["class_name"]
    assert evidence["probability"] == pytest.approx(
        best["probability"], abs=1e-5
    )


def test_a_file_says_no_share_that_it_does_not_know(exported, digit, run_cli):
    _, out, _ = run_cli("explain", exported / "model.onnx", digit[0][0])
    assert "carried by" in out and "own filters bring" not in out
