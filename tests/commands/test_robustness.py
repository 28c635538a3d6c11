import json
import pathlib
import shutil

import pytest
from PIL import Image

import keras_csg
from keras_csg.commands import InputError
from tests.tiny_run import make_tiny_run


@pytest.fixture(scope="module")
def runs(digits, tmp_path_factory):
    """A gated and a standard run that know most digits."""
    folder = tmp_path_factory.mktemp("runs")
    return [
        make_tiny_run(folder / name, digits, epochs=8, gated=name == "gated")
        for name in ("gated", "standard")
    ]


@pytest.fixture
def run(runs, tmp_path):
    """A copy of the gated one that a test may write to."""
    return pathlib.Path(shutil.copytree(runs[0], tmp_path / "run"))


def test_two_runs_under_all_that_is_made_by_itself(run, runs):
    seen = []

    def track(batches, text):
        seen.append(text)
        return batches

    figures = keras_csg.measure_robustness(
        run,
        against=runs[1],
        attacks="pgd",
        epsilons="32/255,4/255",
        limit=80,
        batch_size=50,
        track=track,
        log=None,
    )
    assert json.loads((run / "robustness.json").read_text()) == figures
    with Image.open(run / "robustness.png") as picture:
        assert picture.size[0] > 400
    assert not (runs[1] / "robustness.json").exists()
    assert figures["images"] == 80
    assert seen[:2] == ["clean", "pgd"] and len(seen) == 12
    pgd, *corruptions = figures["curves"]
    assert len(corruptions) == 10
    assert pgd["strengths"] == ["4/255", "32/255"]
    for name in map(str, (run, runs[1])):
        clean = figures["runs"][name]["accuracy"]
        weak, strong = pgd["runs"][name]["accuracy"]
        assert clean > weak > strong
        for curve in corruptions:
            assert len(curve["runs"][name]["accuracy"]) == 5
    gated = figures["runs"][str(run)]
    assert 0 <= gated["mean_corruption_class_specific_accuracy"] <= 1
    assert "class_specific_accuracy" not in figures["runs"][str(runs[1])]


def test_what_is_measured_can_be_chosen(run):
    lines = []
    figures = keras_csg.measure_robustness(
        run,
        attacks="none",
        corruptions=["jpeg"],
        limit=20,
        log=lines.append,
    )
    assert [curve["change"] for curve in figures["curves"]] == ["jpeg"]
    assert "difference" not in figures["curves"][0]
    figures = keras_csg.measure_robustness(
        run, attacks=["fgsm"], epsilons=0.1, corruptions=[], limit=20, log=None
    )
    assert figures["curves"][0]["strengths"] == ["0.1"]


def test_a_vanishing_gradient_is_told_of(digits, tmp_path):
    from keras_csg.training import Run

    path = make_tiny_run(tmp_path / "flat", digits, gated=False)
    model = Run(path).load_model()
    model.head.set_weights([0 * w for w in model.head.get_weights()])
    Run(path).save_model(model)
    lines = []
    keras_csg.measure_robustness(
        path,
        attacks="fgsm",
        epsilons="1/255",
        corruptions="none",
        limit=9,
        log=lines.append,
    )
    assert "fgsm of" in lines[-1] and "up to 100.0%" in lines[-1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"attacks": "pgd,rain"}, "`attacks` must be one of fgsm, pgd, apgd"),
        ({"attacks": "deepfool"}, "`attacks` must be one of"),
        ({"corruptions": "rain"}, "`corruptions` must be one of gaussian"),
        (
            {"attacks": "none", "corruptions": "none"},
            "`attacks` and `corruptions` cannot both be none",
        ),
        ({"epsilons": "8"}, "write 8/255"),
        ({"epsilons": []}, "`epsilons` must name one"),
        ({"norm": "l3"}, "`norm` must be one of"),
        ({"limit": -1}, "`limit` must be"),
        ({"seed": 1.5}, "`seed` must be"),
        ({"against": "nowhere"}, "nowhere is not a run directory"),
    ],
)
def test_mistakes_are_named(tiny_run, arguments, message):
    with pytest.raises(InputError, match=message):
        keras_csg.measure_robustness(tiny_run, log=None, **arguments)
    assert not (tiny_run / "robustness.json").exists()


def test_a_run_is_not_compared_with_itself_or_with_other_data(
    tiny_run, tmp_path
):
    with pytest.raises(InputError, match="The same run is named twice"):
        keras_csg.measure_robustness(tiny_run, against=tiny_run, log=None)
    shapes = keras_csg.load_data("shapes", image_size=8)
    other = make_tiny_run(tmp_path / "shapes", shapes)
    with pytest.raises(InputError, match="on different data"):
        keras_csg.measure_robustness(tiny_run, against=other, log=None)
