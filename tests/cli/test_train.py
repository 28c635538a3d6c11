import importlib.util
import json
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from keras_csg.training import Run
from tests.cli.conftest import QUICK


def save_images(folder, count, side=32):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(count):
        pixels = rng.integers(0, 255, (side, side, 3), "uint8")
        Image.fromarray(pixels).save(folder / f"{i}.png")


def test_a_run_directory_holds_what_it_promises(trained):
    names = {path.name for path in trained.iterdir()}
    assert names == {
        "ablation.png",
        "checksums.json",
        "confusion.png",
        "config.json",
        "curves.png",
        "gate.png",
        "history.csv",
        *(["logs"] if importlib.util.find_spec("tensorboard") else []),
        "metrics.json",
        "model.keras",
        "record.json",
    }
    config = json.loads((trained / "config.json").read_text())
    assert (config["backbone"], config["epochs"]) == ("resnet20", 1)
    assert config["learning_rate"] == pytest.approx(0.2)  # For batches of 128.
    assert config["cache"] == "auto"  # Each machine decides for itself.
    assert config["versions"]["keras"] == keras.__version__
    assert len((trained / "history.csv").read_text().splitlines()) == 2
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["examples"] == 360
    assert {"accuracy", "class_specific_accuracy", "l1_density"} < set(metrics)
    model = keras.saving.load_model(trained / "model.keras")
    assert model.class_names == [str(digit) for digit in range(10)]


def test_evaluate_finds_what_training_wrote(trained, run_cli):
    before = json.loads((trained / "metrics.json").read_text())
    code, out, err = run_cli("evaluate", trained, "--json")
    assert code == 0
    after = json.loads(out)
    for name in ("accuracy", "class_specific_accuracy", "training_minutes"):
        assert after[name] == pytest.approx(before[name])
    assert json.loads((trained / "metrics.json").read_text()) == after


def test_a_standard_run_from_a_config_file(tmp_path, run_cli, tiny_name):
    config = tmp_path / "options.toml"
    config.write_text(
        'standard = true\nepochs = 7\naugment = "none"\n'
        f'backbone = "{tiny_name}"\n'
    )
    out = tmp_path / "run"
    code, stdout, err = run_cli(
        "train", "--config", config, *QUICK, "--out", out, "--json"
    )
    assert code == 0, err
    assert "epoch 1/1" in err and "epoch 1" not in stdout
    assert "class_specific_accuracy" not in json.loads(stdout)
    options = Run(out).options
    assert options.standard and options.epochs == 1
    assert options.augment == "none"
    assert not (out / "gate.png").exists()


@pytest.mark.slow
def test_the_score_without_the_gate_is_followed(tmp_path, run_cli, tiny_name):
    out = tmp_path / "run"
    code, _, err = run_cli(
        "train", *QUICK, "--backbone", tiny_name, "--trust-curve", "--out", out
    )
    assert code == 0, err
    (mis,) = Run(out).history.column("val_mis")
    assert 0 <= mis < 0.33  # The entropy of one class in ten is 0.325.


def test_a_folder_with_a_broken_file(tmp_path, run_cli, tiny_name):
    for name in ("cat", "dog"):
        save_images(tmp_path / "data" / name, 70)
    (tmp_path / "data" / "cat" / "torn.png").write_bytes(b"\x89PNG\r\n")
    code, out, err = run_cli(
        "train", "--data", tmp_path / "data", *QUICK,
        "--out", tmp_path / "run", "--augment", "crop_flip,mixup",
        "--backbone", tiny_name,
    )  # fmt: skip
    assert code == 0, err
    assert "torn.png" in err and "Skipped 1 broken" in err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    images = Run(tmp_path / "run").read_listing().images
    assert metrics["examples"] == len(images["test"]) > 0
    assert list(images["left out"]) == ["cat/torn.png"]


def mistake(result, *words):
    """Asserts one line that names the mistake, and exit code 2."""
    code, out, err = result
    assert code == 2, err
    lines = err.strip().splitlines()
    assert lines[-1].startswith("Error: ") and out == ""
    assert not any("Traceback" in line for line in lines)
    for word in words:
        assert word in lines[-1]


@pytest.mark.parametrize(
    "args, words",
    [
        (["--backbone", "resnet21"], ["resnet20", "resnet21"]),
        (["--data", "cifar11"], ["cifar10"]),
        (["--device", "gpu"], ["GPU", "--device"]),
        (["--image-size", "8", "--backbone", "resnet50"], ["at least 32"]),
        (["--epochs", "0"], ["epochs"]),
        (["--epochs", "many"], ["many"]),
        (["--optimizer", "sdg"], ["sgd"]),
        (["--batch-statistics", "frozen"], ["fitted", "running"]),
        (["--density", "3"], ["density"]),
        (["--augment", "blur"], ["blur", "crop_flip"]),
        (["--gate-at", "nowhere"], ["nowhere"]),
        (["--weights", "imagenet"], ["imagenet"]),
        (["--weights", "no.weights.h5"], ["no.weights.h5", "run directory"]),
        (["--weights", __file__], ["none of them", __file__]),
        (["--freeze", "some"], ["all", "statistics", "some"]),
        (["--freeze", "0"], ["at least 1", "freeze=0"]),
        (["--freeze", "4"], ["weights", "freeze=4"]),
        (["--resume"], ["--resume needs --out"]),
        (["--learning-rate", "inf"], ["learning_rate=inf"]),
        (["--learning-rate", "nan"], ["learning_rate=nan"]),
        (["--log", "comet"], ["mlflow", "wandb", "comet"]),
        (["--log", "none", "--log", "wandb"], ["loggers=none,wandb"]),
        (["--data", ""], ["--data must not be empty"]),
        (["--config", ""], ["`config` must not be empty"]),
        (["--bckbone", "resnet20"], ["--bckbone"]),
        (["--config", "missing.json"], ["missing.json"]),
        (["--data", "./no/such/folder"], ["no/such/folder"]),
    ],
)
def test_a_mistake_is_one_line_before_any_training(
    args, words, run_cli, tmp_path
):
    out = tmp_path / "run"
    where = [] if "--resume" in args else ["--out", out]
    mistake(run_cli("train", *args, *where), *words)
    assert not out.exists()


def test_a_logger_without_its_package_is_one_line(
    run_cli, tmp_path, monkeypatch
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "mlflow" else find(name),
    )
    out = tmp_path / "run"
    result = run_cli("train", "--log", "mlflow", "--out", out)
    mistake(result, "pip install 'keras-csg[mlflow]'")
    assert not out.exists()


def test_weights_that_cannot_be_downloaded_are_one_line(
    run_cli, tmp_path, monkeypatch
):
    def unreachable(**kwargs):
        sys.stdout.write("Downloading data from https://x/y.h5\n")
        raise Exception("URL fetch failure on https://x/y.h5: None -- down")

    monkeypatch.setattr(keras.applications, "VGG16", unreachable)
    arguments = ["--backbone", "vgg16", "--weights", "imagenet"]
    result = run_cli("train", *arguments, "--out", tmp_path / "run")
    mistake(result, "imagenet weights of VGG16 could not be downloaded")


def test_a_tfds_set_that_is_not_there_says_how_to_prepare_it(run_cli, tmp_path):
    mistake(
        run_cli(
            "train", "--data", "mnist", "--data-dir", tmp_path / "tfds",
            "--out", tmp_path / "run",
        ),
        "mnist", "tfds", "--data digits",
    )  # fmt: skip


def test_class_folders_are_checked(run_cli, tmp_path):
    out = ["--out", tmp_path / "run"]
    one = tmp_path / "one"
    save_images(one / "cat", 3)
    mistake(run_cli("train", "--data", one, *out), "cat")
    (one / "dog").mkdir()
    mistake(run_cli("train", "--data", one, *out), "dog")
    save_images(tmp_path / "torn" / "cat", 20)
    save_images(tmp_path / "torn" / "dog", 20)
    for name in ("cat", "dog"):
        (tmp_path / "torn" / name / "0.png").write_bytes(b"no picture")
    mistake(run_cli("train", "--data", tmp_path / "torn", *out), "2 of 40")


def test_a_run_directory_is_never_written_over(run_cli, trained):
    before = (trained / "config.json").read_bytes()
    mistake(run_cli("train", "--out", trained), str(trained), "--resume")
    assert (trained / "config.json").read_bytes() == before


def test_an_unknown_key_in_a_config_gets_the_nearest(run_cli, tmp_path):
    config = tmp_path / "options.json"
    config.write_text('{"lamda_1": 2}')
    mistake(run_cli("train", "--config", config), "lamda_1", "lambda_1")


def test_resume_takes_no_other_options(run_cli, trained, tmp_path):
    mistake(
        run_cli("train", "--resume", "--out", trained, "--seed", "9"),
        "leave out --seed",
    )
    mistake(run_cli("train", "--resume", "--out", tmp_path), str(tmp_path))


def test_resuming_a_finished_run_says_so(run_cli, trained):
    code, out, err = run_cli("train", "--resume", "--out", trained)
    assert code == 0 and "finished" in err
    assert "accuracy" in out


def test_resuming_a_finished_run_prints_its_figures_as_json(run_cli, trained):
    code, out, err = run_cli("train", "--resume", "--out", trained, "--json")
    assert code == 0, err
    assert json.loads(out) == Run(trained).read_metrics()


def test_a_run_directory_has_a_name(run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mistake(run_cli("train", "--out", ""), "--out must not be empty")
    assert not list(tmp_path.iterdir())


def test_two_trainings_never_share_a_directory(run_cli, trained):
    model = trained / "model.keras"
    hidden = model.rename(trained / "model.hidden")
    run = Run(trained)
    run.lock()
    try:
        mistake(run_cli("train", "--resume", "--out", trained), "Another")
    finally:
        run.unlock()
        hidden.rename(model)


def test_a_loss_that_is_not_finite_stops_the_run(run_cli, tmp_path, tiny_name):
    code, out, err = run_cli(
        "train", *QUICK, "--learning-rate", "1e30", "--lr-schedule",
        "constant", "--out", tmp_path / "run", "--backbone", tiny_name,
    )  # fmt: skip
    assert code == 1
    assert "step" in err and "learning rate" in err.splitlines()[-1]
    assert not (tmp_path / "run" / "model.keras").exists()
    assert not (tmp_path / "run" / "backup").exists()
