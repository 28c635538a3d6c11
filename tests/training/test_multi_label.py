"""Runs on images that have several classes each."""

import json
import shutil

import numpy as np
import pytest

import keras_csg
from keras_csg.training import Run
from keras_csg.training.history import History
from tests.training.pairs import NAMES, write_pairs
from tests.training.photos import Halt

OPTIONS = {"labels": "labels.csv", "multi_label": True, "log": None}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("data") / "pairs", 200)


def train(path, data, **options):
    small = {"backbone": "tiny", "batch_size": 32, "epochs": 2}
    return keras_csg.train(path, data=data, **{**OPTIONS, **small, **options})


@pytest.fixture(scope="module")
def run(tiny, pairs, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "gated"
    train(path, pairs, trust_curve=True, augment="crop,mixup", patience=2)
    return Run(path)


def test_a_run_says_so_everywhere(run):
    assert json.loads(run.config_path.read_text())["multi_label"] is True
    figures = run.read_metrics()
    assert {
        "mean_average_precision",
        "class_specific_mean_average_precision",
        "removed_own_average_precision",
        "class_mis",
    } <= figures.keys()
    assert not {"accuracy", "confusion_matrix"} & figures.keys()
    columns = run.history.columns()
    for name in ("average_precision", "class_specific_average_precision"):
        assert {name, f"val_{name}"} <= columns.keys()
    assert "val_mis" in columns
    names = {path.name for path in run.path.glob("*.png")}
    assert names == {"ablation.png", "curves.png", "gate.png"}
    model = run.load_model()
    assert model.multi_label and model.class_names == sorted(NAMES)


def test_it_is_measured_and_predicts_as_it_was_trained(run, pairs):
    before = run.read_metrics()
    figures = keras_csg.evaluate(run, log=None)
    for name in ("mean_average_precision", "mis", "kept_own_recall"):
        assert figures[name] == pytest.approx(before[name], abs=1e-3)
    (found,) = keras_csg.predict(run, pairs / "0000.png")
    assert found["probabilities"].keys() == set(NAMES)


def test_other_data_have_a_table_of_the_same_name(run, tmp_path):
    other = write_pairs(tmp_path / "other", 100, seed=1)
    figures = keras_csg.evaluate(run, data=other, log=None)
    assert figures["examples"] == 20
    (other / "labels.csv").rename(other / "else.csv")
    with pytest.raises(keras_csg.InputError, match="Cannot read .*labels.csv"):
        keras_csg.evaluate(run, data=other, log=None)
    with pytest.raises(keras_csg.InputError, match="`multi_label` is for"):
        keras_csg.evaluate(run, data="digits", log=None)


ALTERNATING = {"gate_schedule": "alternating", "gate_warmup": 1}


@pytest.mark.parametrize(
    "more",
    [
        ALTERNATING,
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"lambda_2": 0.1}, marks=pytest.mark.slow),
        pytest.param({**ALTERNATING, "lambda_2": 0.1}, marks=pytest.mark.slow),
        pytest.param({"standard": True}, marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_is_never_stopped(tiny, pairs, tmp_path, more):
    options = {**more, "epochs": 3, "deterministic": True}
    train(tmp_path / "whole", pairs, **options)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "torn", pairs, callbacks=[Halt()], **options)
    keras_csg.train(tmp_path / "torn", resume=True, log=None)
    whole, torn = Run(tmp_path / "whole"), Run(tmp_path / "torn")
    for name, values in whole.history.columns().items():
        if name != "seconds":
            assert torn.history.columns()[name] == values, name
    old, new = (run.load_model().get_weights() for run in (whole, torn))
    for ours, theirs in zip(old, new, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert History(torn.path / "history.csv").column("average_precision")


@pytest.mark.parametrize(
    "options, said",
    [
        (
            {"class_weights": "balanced"},
            "`class_weights` say how much an image",
        ),
        ({"lambda_6": 1.0}, "`lambda_6` is for images of one class each"),
        ({"labels": None}, "`multi_label` needs `labels`"),
    ],
)
def test_what_has_no_meaning_is_refused(tiny, pairs, tmp_path, options, said):
    with pytest.raises(keras_csg.InputError, match=said) as error:
        train(tmp_path / "run", pairs, **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_what_is_of_one_class_is_refused(run):
    with pytest.raises(keras_csg.InputError, match="`ablate` draws"):
        keras_csg.evaluate(run, ablate="one", log=None)
    with pytest.raises(keras_csg.InputError, match="have several classes"):
        keras_csg.localize(run, log=None)
    data = keras_csg.load_data(
        run.options.data, labels=run.options.labels, multi_label=True
    )
    with pytest.raises(ValueError, match="must have one class each"):
        keras_csg.data.load_annotated(data)
    with pytest.raises(keras_csg.InputError, match="cannot be packed"):
        keras_csg.pack(run.options.data, run.path / "sets", **OPTIONS)


def test_maps_of_a_class_go_on(run, pairs):
    model = run.load_model()
    images, _ = keras_csg.load_data(
        pairs, labels="labels.csv", multi_label=True
    ).test.images_and_labels(3)
    maps = keras_csg.explain.class_activation_map(
        model, images, classes=np.array([0, 1, 2])
    )
    assert maps.shape == images.shape[:3]


def test_a_changed_table_is_noticed(run, pairs, tmp_path):
    moved = shutil.copytree(pairs, tmp_path / "moved")
    text = (moved / "labels.csv").read_text().splitlines()
    file, _, split = text[-1].split(",")
    text[-1] = f"{file},zero|one|nine,{split}"
    (moved / "labels.csv").write_text("\n".join(text))
    copy = shutil.copytree(run.path, tmp_path / "run")
    config = json.loads((copy / "config.json").read_text())
    config |= {"data": str(moved), "labels": str(moved / "labels.csv")}
    (copy / "config.json").write_text(json.dumps(config))
    lines = []
    keras_csg.evaluate(copy, log=lines.append)
    assert any("1 of another class" in line for line in lines)


@pytest.mark.slow
def test_pairs_of_digits_are_told(tmp_path):
    """By the network, by each class's own filters, and not without them."""
    data = write_pairs(tmp_path / "pairs", 2500, side=32)
    figures = keras_csg.train(tmp_path / "run", data=data, epochs=6, **OPTIONS)
    assert figures["mean_average_precision"] > 0.95
    assert figures["class_specific_mean_average_precision"] > 0.95
    assert figures["shared_filters"] == 0
    assert figures["removed_own_recall"] < 0.05
    assert figures["removed_other_recall"] > 0.75
    assert figures["kept_own_recall"] > 0.8
    assert figures["kept_other_recall"] < 0.05
    assert figures["complement_probability"] < 0.15
