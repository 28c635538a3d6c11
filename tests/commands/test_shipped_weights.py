"""Networks that come with the package, wherever a run may stand."""

import itertools
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.backbones.weights.shipped import cards
from keras_csg.training import open_run
from keras_csg.training.shipping import ship
from tests.shipped import shipped_tiny
from tests.tiny_run import make_tiny_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    with shipped_tiny(tmp_path_factory.mktemp("gated"), small=True) as runs:
        yield runs["small"]


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predictions(model):
    images = keras.random.uniform((5, 8, 8, 3), 0, 255, seed=1)
    return keras.ops.convert_to_numpy(model(images))


def digit(path, level=9):
    Image.fromarray(np.full((8, 8, 3), level, "uint8")).save(path)
    return path


def test_the_card_is_that_of_the_run(trained):
    (card,) = keras_csg.list_weights()
    assert card == keras_csg.list_weights("weights:small")[0]
    assert (card.name, card.source) == ("small", "weights:small")
    assert card.figures == {"accuracy": 0.5, "training_minutes": 0.1}
    assert card.class_names == tuple("0123456789")
    assert card.options["epochs"] == 2
    assert card.versions["keras"] == keras.__version__


def test_the_file_is_the_network_without_the_optimizer(trained, here):
    there = open_run("weights:small").load_model()
    own = trained.load_model()
    np.testing.assert_array_equal(predictions(there), predictions(own))
    (card,) = keras_csg.list_weights()
    assert card.path.stat().st_size < trained.model_path.stat().st_size
    assert not there.compiled


def test_what_is_measured_goes_to_a_folder_of_its_own(trained, here):
    results = keras_csg.evaluate_runs(
        ["weights:small", trained], against=True, log=None
    )
    assert set(results["runs"]) == {"weights:small", str(trained)}
    assert results["difference"]["accuracy"] == 0
    folder = here / "runs" / "weights-small"
    figures = json.loads((folder / "metrics.json").read_text())
    assert figures == results["runs"]["weights:small"]
    # What training alone knew is the card's.
    assert figures["training_minutes"] == 0.1
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "ablation.png",
        "checksums.json",
        "confusion.png",
        "metrics.json",
    ]
    (card,) = keras_csg.list_weights()
    assert card.figures["accuracy"] == 0.5


def test_it_predicts_and_writes_nothing(trained, here):
    (found,) = keras_csg.predict("weights:small", digit(here / "a.png"))
    assert found == keras_csg.predict(trained, here / "a.png")[0]
    assert not (here / "runs").exists()


def test_it_localizes_and_exports_into_a_folder_of_its_own(trained, here):
    keras_csg.localize("weights:small", limit=8, mosaics=2, log=None)
    exported = keras_csg.export_run(
        "weights:small", formats="onnx", log=None
    ).files
    folder = pathlib.Path("runs", "weights-small")
    assert (folder / "localization.json").exists()
    assert [file["path"] for file in exported] == [
        str(here / folder / "export" / "model.onnx")
    ]


@pytest.mark.slow
def test_a_network_can_start_from_it(trained, here):
    keras_csg.train(
        "a",
        backbone="tiny",
        weights="small",
        head_epochs=1,
        epochs=1,
        image_size=8,
        log=None,
    )
    config = json.loads(pathlib.Path("a", "config.json").read_text())
    (card,) = keras_csg.list_weights()
    assert config["weights"] == "weights:small"
    assert config["weights_sha256"] == card.sha256


def test_a_file_that_was_changed_is_refused(trained, here, monkeypatch):
    (card,) = keras_csg.list_weights()
    model = card.path.read_bytes()
    other = here / "shipped"
    other.mkdir()
    shutil.copy(card.path.with_suffix(".json"), other)
    monkeypatch.setattr(cards, "FOLDER", other)
    with pytest.raises(ValueError, match="Cannot read .*small.keras: No such"):
        keras_csg.predict("weights:small", digit(here / "a.png"))
    (other / "small.keras").write_bytes(model + b"x")
    for call in (
        lambda: keras_csg.predict("weights:small", here / "a.png"),
        lambda: keras_csg.build("tiny", 10, weights="small"),
    ):
        with pytest.raises(ValueError, match="is damaged: its sha256 is"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: keras_csg.evaluate("weights:smal", log=None),
        lambda: keras_csg.predict("weights:smal", __file__),
        lambda: keras_csg.localize("weights:smal", log=None),
        lambda: keras_csg.export_run("weights:smal", log=None),
        lambda: keras_csg.build("tiny", 10, weights="weights:smal"),
        lambda: keras_csg.list_weights("smal"),
    ],
)
def test_a_name_that_there_is_not_is_said(trained, here, call):
    line = (
        "There are no weights weights:smal; did you mean 'small'? Those that "
        "come with the package: small."
    )
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == line
    assert not (here / "runs").exists()


def test_it_is_no_directory_to_train_in(trained, here):
    with pytest.raises(keras_csg.InputError, match="`out` must be a directory"):
        keras_csg.train("weights:small", log=None)


def test_it_can_be_measured_on_other_data_of_its_classes(trained, here):
    levels = itertools.count()
    for name in "0123456789":
        folder = here / "photos" / "test" / name
        folder.mkdir(parents=True)
        digit(folder / "a.png", next(levels))
        train = here / "photos" / "train" / name
        train.mkdir(parents=True)
        for number in "abcd":
            digit(train / f"{number}.png", next(levels))
    figures = keras_csg.evaluate("weights:small", data="photos", log=None)
    assert figures["examples"] == 10
    assert "training_minutes" not in figures
    folder = pathlib.Path("runs", "weights-small")
    assert sorted(path.name for path in folder.iterdir()) == [
        "ablation-photos.png",
        "checksums.json",
        "confusion-photos.png",
        "metrics-photos.json",
    ]


def test_the_file_computes_in_float32(trained, tmp_path):
    """Whatever it was trained in, with the same weights."""
    data = keras_csg.load_data("digits", image_size=8)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        run = open_run(make_tiny_run(tmp_path / "mixed", data))
        card = {"description": "mixed", "data": "digits", "licence": "none"}
        ship(run, tmp_path / "mixed.keras", limits=["one"], **card)
        own = run.load_model()
    finally:
        keras.config.set_dtype_policy(policy)
    there = keras.models.load_model(tmp_path / "mixed.keras")
    assert own.backbone.layers[-1].dtype_policy.name == "mixed_bfloat16"
    layers = [there, *there.layers, *there.backbone.layers]
    assert {layer.dtype_policy.name for layer in layers} == {"float32"}
    for one, other in zip(there.weights, own.weights, strict=True):
        np.testing.assert_array_equal(one.value, other.value)
    assert there.class_names == own.class_names
