import csv
import importlib.util
import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.commands import InputError
from keras_csg.robustness.attacks import pgd
from keras_csg.training import Run
from tests.robustness.hand_made import RedDetector
from tests.tiny_run import make_tiny_run


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    """A run that knows most digits."""
    path = tmp_path_factory.mktemp("runs") / "gated"
    return make_tiny_run(path, digits, epochs=8)


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it that a test may write to."""
    return pathlib.Path(shutil.copytree(trained, tmp_path / "run"))


def test_an_attack_is_measured_and_kept(run):
    lines = []
    figures = keras_csg.attack(
        run, epsilon="16/255", limit=60, batch_size=32, log=lines.append
    )
    assert figures["images"] == 60 and figures["method"] == "pgd"
    assert figures["epsilon"] == pytest.approx(16 / 255)
    assert 0 <= figures["robust_accuracy"] < figures["accuracy"] <= 1
    assert figures["class_specific_robust_accuracy"] < 1
    assert figures["mean_linf"] <= 16 / 255 + 1e-6
    assert figures["source"] is None and figures["minutes"] >= 0
    assert json.loads((run / "attack.json").read_text()) == figures
    assert any("on 60 images" in line for line in lines)
    batches = keras_csg.attack(run, epsilon="16/255", limit=60, log=None)
    same = {"minutes": 0}
    assert figures | same == pytest.approx(batches | same)


def test_images_are_those_of_the_attack(run, digits, tmp_path):
    out = tmp_path / "made" / "images"
    figures = keras_csg.attack(
        run, epsilon="16/255", limit=12, save=out, log=None
    )
    with open(out / "index.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12
    assert sorted(p.name for p in out.glob("*.png")) == sorted(
        row["file"] for row in rows
    )
    images, labels = digits.test.images_and_labels()
    numbers = np.array([int(row["file"][:-4]) for row in rows])
    saved = np.stack([np.asarray(Image.open(out / r["file"])) for r in rows])
    model = Run(run).load_model()
    wanted = pgd(model)(images[numbers], labels[numbers], 16 / 255, numbers)
    np.testing.assert_allclose(saved, wanted.images, atol=0.51)
    names = [digits.class_names[n] for n in labels[numbers]]
    assert [row["label"] for row in rows] == names
    said = model.predict(saved.astype("float32"), verbose=0).argmax(1)
    assert [row["after"] for row in rows] == [
        digits.class_names[n] for n in said
    ]
    right = np.mean([row["after"] == row["label"] for row in rows])
    assert right == pytest.approx(figures["rounded_robust_accuracy"])
    right = np.mean([row["before"] == row["label"] for row in rows])
    assert right == pytest.approx(figures["accuracy"])
    # They are images like any other.
    assert len(keras_csg.commands.find_images(out)) == 12


def test_a_folder_that_has_files_stays_as_it_is(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already: name a folder"):
        keras_csg.attack(run, limit=4, save=tmp_path / "out", log=None)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_what_breaks_off_leaves_no_folder(run, tmp_path):
    def breaking(batches, text):
        yield from list(batches)[:1]
        raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        keras_csg.attack(
            run,
            limit=8,
            batch_size=4,
            save=tmp_path / "out",
            track=breaking,
            log=None,
        )
    assert list((tmp_path / "out").iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "run"]
    assert not (run / "attack.json").exists()


def test_images_made_for_another_run_are_weaker(run, digits, tmp_path):
    other = make_tiny_run(tmp_path / "other", digits, epochs=4, gated=False)
    settings = {"epsilon": "24/255", "limit": 100, "log": None}
    own = keras_csg.attack(run, **settings)
    moved = keras_csg.attack(run, source=other, **settings)
    assert moved["source"] == str(other)
    assert moved["accuracy"] == own["accuracy"]
    assert moved["robust_accuracy"] > own["robust_accuracy"]
    assert not (other / "attack.json").exists()


def test_a_constant_network_is_not_called_robust(digits, tmp_path):
    path = make_tiny_run(tmp_path / "flat", digits, gated=False)
    run = Run(path)
    model = run.load_model()
    model.head.set_weights([0 * w for w in model.head.get_weights()])
    run.save_model(model)
    lines = []
    figures = keras_csg.attack(path, limit=20, log=lines.append)
    assert figures["robust_accuracy"] is None
    assert figures["zero_gradients"] == 1
    assert "gradient vanishes on any image" in lines[-1]


def test_a_detector_is_misled_too(run):
    detector = RedDetector(threshold=-1.0)
    detector.gate_score = lambda maps, features, logits, specific: features[
        :, 0
    ]
    detector.threshold_ = 1e9
    figures = keras_csg.attack(
        run, epsilon="16/255", detector=detector, limit=20, log=None
    )
    assert figures["false_alarms"] == figures["detected"] == 0
    assert figures["unseen_success_rate"] == figures["success_rate"] > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "pdg"}, "`method` must be one of fgsm, pgd"),
        ({"epsilon": 8}, "write 8/255"),
        ({"epsilon": "much"}, "`epsilon` must be a share"),
        ({"norm": "l1"}, "`norm` must be one of linf, l2"),
        ({"norm": "l2", "epsilon": 128}, "`epsilon` must be at most 13.9"),
        ({"targeted": "yes"}, "`targeted` must be True or False"),
        ({"head": "both"}, "`head` must be one of standard, class_specific"),
        ({"limit": 0}, "`limit` must be a whole number of at least 1"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0"),
        ({"source": "nowhere"}, "nowhere is not a run directory"),
        ({"data": "no_such_set"}, "no_such_set"),
        ({"batch_size": 0}, "`batch_size` must be"),
        ({"detector": object()}, "`detector` must have `gate_score`"),
        (
            {"detector": RedDetector(), "method": "fgsm"},
            "`detector` is for pgd on the run's own",
        ),
        ({"save": ""}, "`save` must not be empty"),
    ],
)
def test_mistakes_are_named(tiny_run, arguments, message):
    with pytest.raises(InputError, match=message):
        keras_csg.attack(tiny_run, log=None, **arguments)
    assert not (tiny_run / "attack.json").exists()


@pytest.mark.skipif(
    importlib.util.find_spec("art") is not None, reason="it is installed"
)
def test_without_the_extra_the_way_to_it_is_said(tiny_run):
    with pytest.raises(InputError, match=r"pip install 'keras-csg\[attacks\]'"):
        keras_csg.attack(tiny_run, "apgd", log=None)


def test_the_class_specific_head_needs_a_gate(digits, tmp_path):
    path = make_tiny_run(tmp_path / "run", digits, gated=False)
    with pytest.raises(InputError, match="no gate"):
        keras_csg.attack(path, head="class_specific", limit=4, log=None)


def test_runs_of_other_images_or_classes_are_refused(tiny_run, tmp_path):
    shapes = keras_csg.load_data("shapes", image_size=8)
    other = make_tiny_run(tmp_path / "shapes", shapes)
    with pytest.raises(InputError, match="must tell the same classes"):
        keras_csg.attack(tiny_run, source=other, limit=4, log=None)
    digits = keras_csg.load_data("digits", image_size=12)
    large = make_tiny_run(tmp_path / "large", digits)
    with pytest.raises(InputError, match="Received: 8x8 and 12x12"):
        keras_csg.attack(tiny_run, source=large, limit=4, log=None)
