import json

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg import InputError
from keras_csg.training import Run, open_run
from tests.edit.families import assert_near
from tests.tiny_run import make_tiny_run

LEFT = [str(digit) for digit in range(10) if digit != 3]


def quiet(*args, **kwargs):
    return keras_csg.edit_run(*args, log=None, **kwargs)


@pytest.fixture(scope="module")
def runs(digits, tmp_path_factory):
    """Two runs that know some digits, with a closed gate and without one."""
    folder = tmp_path_factory.mktemp("runs")
    keras.utils.set_random_seed(1)
    gated = make_tiny_run(folder / "gated", digits, epochs=6)
    model = Run(gated).load_model()
    model.gate.gate_matrix.assign(np.tile(np.eye(10), 2))
    Run(gated).save_model(model)
    options = {"standard": True}
    standard = make_tiny_run(
        folder / "standard", digits, 6, options, gated=False
    )
    return gated, standard


@pytest.fixture(scope="module")
def without_three(runs, tmp_path_factory):
    """The run without the digit 3, and what `edit_run` said."""
    out = tmp_path_factory.mktemp("edited") / "run"
    return out, quiet(runs[0], out, remove_class="3", against=runs[1])


def test_the_new_run_knows_the_other_classes(runs, without_three):
    out, result = without_three
    model, before = Run(out).load_model(), Run(runs[0]).load_model()
    assert model.class_names == LEFT and model.filters == 18
    assert result["removed_filters"] == [3, 13]
    assert result["removed_classes"] == ["3"]
    assert result["from"] == str(runs[0])
    features = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3))
    expected = keras.ops.convert_to_numpy(before.features(features)).copy()
    expected[:, [3, 13]] = 0
    expected = keras.ops.convert_to_numpy(before.head(expected))
    assert_near(model.predict(features, verbose=0), np.delete(expected, 3, 1))


def test_figures_are_those_of_both_networks_on_the_test_split(
    runs, without_three, digits
):
    out, result = without_three
    images, labels = digits.test.images_and_labels()
    before = Run(runs[0]).load_model().predict(images, verbose=0)
    after = Run(out).load_model().predict(images, verbose=0)
    fewer = np.delete(before, 3, axis=1)
    for number, row in enumerate(result["classes"]):
        own = labels == number
        assert row["class"] == str(number) and row["images"] == own.sum()
        right = (before[own].argmax(axis=1) == number).mean()
        assert row["before"] == pytest.approx(right)
        if number == 3:
            assert row["before_masked"] is row["after"] is None
            continue
        new = number - (number > 3)
        for key, logits in {"before_masked": fewer, "after": after}.items():
            right = (logits[own].argmax(axis=1) == new).mean()
            assert row[key] == pytest.approx(right)
    assert json.loads((out / "edit.json").read_text()) == result


def test_the_ungated_network_loses_as_many_filters(runs, without_three):
    other = without_three[1]["against"]
    assert other["run"] == str(runs[1])
    assert len(other["removed_filters"]) == 2
    assert [row["class"] for row in other["classes"]] == [
        str(digit) for digit in range(10)
    ]


def test_the_file_is_smaller(without_three):
    for name in ("parameters", "file_bytes"):
        sizes = without_three[1][name]
        assert sizes["after"] < sizes["before"]


def test_the_run_says_what_it_was_made_of(runs, without_three):
    out, _ = without_three
    config = json.loads((out / "config.json").read_text())
    assert config["classes"] == ",".join(LEFT)
    assert config["edited"] == {
        "from": str(runs[0]),
        "filters_before": 20,
        "filters": 18,
        "classes": ["3"],
    }
    metrics = Run(out).read_metrics()
    assert metrics["filters"] == 18 and len(metrics["class_recall"]) == 9
    for name in ("confusion.png", "gate.png", "ablation.png"):
        assert (out / name).exists()
    assert not (out / ".lock").exists()


def test_every_other_command_takes_it(without_three, tmp_path):
    out, result = without_three
    figures = keras_csg.evaluate(out, log=None)
    assert figures["balanced_accuracy"] == pytest.approx(result["mean_after"])
    assert figures["parameters"] == result["parameters"]["after"]
    data = keras_csg.load_data("digits", image_size=8, classes=LEFT)
    images, _ = data.test.images_and_labels(1)
    keras.utils.save_img(tmp_path / "digit.png", images[0])
    (answer,) = keras_csg.predict(out, tmp_path / "digit.png")
    assert answer["classes"][0]["class_name"] in LEFT
    maps = keras_csg.localize(out, limit=4, mosaics=1, log=None)
    assert maps.figures["images"] == 4
    keras_csg.export_run(
        out, out=tmp_path / "model.onnx", formats="onnx", log=None
    )


def test_it_is_edited_again(without_three, tmp_path):
    result = quiet(without_three[0], tmp_path / "run", remove_class=["5", "7"])
    assert result["removed_classes"] == ["5", "7"]
    assert open_run(tmp_path / "run").options.classes == "0,1,2,4,6,8,9"


def test_filters_are_removed_without_a_gate(runs, tmp_path):
    result = quiet(runs[1], tmp_path / "run", remove_filters=[1, 3, 17])
    assert Run(tmp_path / "run").load_model().filters == 17
    assert result["removed_classes"] == [] and result["against"] is None
    assert open_run(tmp_path / "run").options.classes is None


def test_a_class_of_an_ungated_network_loses_its_column(runs, tmp_path):
    lines = []
    keras_csg.edit_run(
        runs[1], tmp_path / "run", remove_class="3", log=lines.append
    )
    assert any("no filter belongs to a class" in line for line in lines)
    assert Run(tmp_path / "run").load_model().filters == 20


def test_kept_classes_and_dead_filters(runs, tmp_path):
    quiet(runs[0], tmp_path / "kept", keep_classes="1,4,9")
    assert Run(tmp_path / "kept").load_model().class_names == ["1", "4", "9"]
    model = Run(runs[0]).load_model()
    beta, conv = model.get_layer("norm").beta, model.get_layer("conv")
    conv.kernel.assign(np.where(np.arange(20) == 6, 0, conv.kernel))
    conv.bias.assign(np.where(np.arange(20) == 6, 0, conv.bias))
    beta.assign(np.where(np.arange(20) == 6, -9, beta))
    dead = Run(tmp_path / "dead")
    dead.create(open_run(runs[0]).options)
    dead.save_model(model)
    dead.unlock()
    result = quiet(dead, tmp_path / "pruned", prune_dead=True)
    assert 6 in result["removed_filters"]
    assert result["mean_after"] == result["mean_before"]


def test_shipped_weights_are_edited(tmp_path, cifar10_dir):
    with pytest.raises(InputError, match="no class 'kat'; the nearest are cat"):
        quiet("weights:cifar10", tmp_path / "run", remove_class="kat")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given, message",
    [
        ({}, "Exactly one of .* Received: none"),
        (
            {"remove_class": "1", "prune_dead": True},
            "Received: `remove_class`, `prune_dead`",
        ),
        ({"remove_filters": 20}, "no filter 20: the network has 20, 0 to 19"),
        ({"remove_filters": range(20)}, "No filter would be left"),
        ({"keep_classes": "3"}, "there would be 1 left"),
        ({"prune_shared": True}, "No filter is shared"),
        ({"prune_shared": 1}, "`prune_shared` must be True or False"),
        (
            {"remove_filters": 1, "against": "other"},
            "goes with `remove_class` or `keep_classes`",
        ),
    ],
)
def test_what_cannot_be_had_is_said_and_nothing_written(
    runs, tmp_path, given, message
):
    with pytest.raises(InputError, match=message):
        quiet(runs[0], tmp_path / "run", **given)
    assert not any(tmp_path.iterdir())


def test_a_directory_that_is_taken_stays_as_it_is(runs, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty: name another"):
        quiet(runs[0], tmp_path, remove_class="3")
    with pytest.raises(InputError, match="is not a directory"):
        quiet(runs[0], tmp_path / "mine.txt", remove_class="3")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    quiet(runs[0], tmp_path / "empty", remove_class="3")


def test_against_must_be_ungated_and_on_the_same_data(runs, tmp_path):
    with pytest.raises(InputError, match="without a gate, and .* has one"):
        quiet(runs[0], tmp_path / "a", remove_class="3", against=runs[0])
    shapes = keras_csg.load_data("shapes", image_size=8)
    other = make_tiny_run(
        tmp_path / "shapes", shapes, 0, {"standard": True}, gated=False
    )
    with pytest.raises(InputError, match="different data cannot be compared"):
        quiet(runs[0], tmp_path / "a", remove_class="3", against=other)
    assert not (tmp_path / "a").exists()


def test_shared_filters_need_a_gate(runs, tmp_path):
    with pytest.raises(InputError, match="has no gate"):
        quiet(runs[1], tmp_path / "run", prune_shared=True)


def test_training_an_edited_run_is_refused_with_the_way_out(without_three):
    out, _ = without_three
    with pytest.raises(InputError, match="no training to go on with"):
        keras_csg.train(out, resume=True, epochs=9, log=None)
    with pytest.raises(InputError, match="has 18 of its 20 filters"):
        keras_csg.train(init=out, data="digits", log=None)


def test_a_class_with_a_comma_cannot_be_named(tmp_path, runs):
    model = Run(runs[0]).load_model()
    config = {**model.get_config(), "backbone": model.backbone}
    config["class_names"] = ["a,b", *model.class_names[1:]]
    run = Run(tmp_path / "comma")
    run.create(open_run(runs[0]).options)
    run.save_model(type(model)(**config))
    run.unlock()
    with pytest.raises(InputError, match="cannot name 'a,b', which has a com"):
        quiet(run, tmp_path / "out", remove_class="3")
