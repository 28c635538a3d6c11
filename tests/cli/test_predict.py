import json

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.training import Run


@pytest.fixture
def digit(tmp_path):
    images, labels = keras_csg.load_data(
        "digits", image_size=8
    ).test.images_and_labels(3)
    paths = []
    for i, image in enumerate(images):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(image).save(paths[-1])
    return paths, images


def test_predictions_are_the_models(trained, digit, run_cli):
    paths, images = digit
    code, out, err = run_cli("predict", trained, *paths, "--json")
    assert code == 0, err
    model = Run.open(trained).load_model()
    logits = np.asarray(model(images))
    for row, prediction, path in zip(
        logits, json.loads(out), paths, strict=True
    ):
        assert prediction["image"] == str(path)
        best = prediction["classes"][0]
        assert best["class_name"] == model.class_names[row.argmax()]
        p = np.exp(row - row.max())
        p /= p.sum()
        assert best["probability"] == pytest.approx(p.max(), rel=1e-4)
        assert len(prediction["classes"]) == 3
        shares = [entry["share"] for entry in prediction["filters"]]
        assert shares == sorted(shares, reverse=True)


def test_people_get_words(trained, digit, run_cli):
    code, out, err = run_cli("predict", trained, digit[0][0], "--top", "1")
    assert code == 0
    assert "class-specific head" in out and "filters that speak" in out


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
def test_a_damaged_model_is_named(damage, trained, run_cli, tmp_path):
    config = (trained / "config.json").read_bytes()
    (tmp_path / "config.json").write_bytes(config)
    model = (trained / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(damage(model))
    code, out, err = run_cli("predict", tmp_path, tmp_path / "a.png")
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
