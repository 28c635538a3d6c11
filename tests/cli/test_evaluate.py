import json

import numpy as np
import pytest

from keras_csg import CSGClassifier
from keras_csg.training import Run
from keras_csg.training.options import TrainingOptions
from keras_csg_cli.evaluate import _print_tables
from tests.tiny import tiny_backbone


def save_run(path, seed=0, gated=True, data="digits", finished=True):
    """Makes the directory of a run on the digits, without the training."""
    options = TrainingOptions(
        data=data, image_size=8, standard=not gated, seed=seed
    )
    run = Run(path)
    run.create(options)
    run.unlock()
    model = CSGClassifier(tiny_backbone(), 10, gated=gated)
    kernel = np.random.default_rng(seed).normal(size=model.head.kernel.shape)
    model.head.kernel.assign(kernel)
    if gated:
        model.gate.gate_matrix.assign(np.eye(10, 6) + 0.125)
        matrix = model.gate.gate_matrix
        matrix.assign(matrix.constraint(matrix))
    if finished:
        run.save_model(model)
        run.write_metrics({"accuracy": 0.5, "training_minutes": 1.5})
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    return [save_run(path / f"gated-{seed}", seed) for seed in (0, 1)] + [
        save_run(path / "standard", gated=False)
    ]


def refused(run_cli, *args):
    code, out, err = run_cli("evaluate", *args)
    assert code == 2 and out == ""
    *progress, error = err.splitlines()
    assert error.startswith("Error: ") and "Traceback" not in err
    return error


def test_a_run_is_measured_and_written_down(runs, run_cli):
    code, out, err = run_cli("evaluate", runs[0], "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found == json.loads((runs[0] / "metrics.json").read_text())
    assert found["training_minutes"] == 1.5  # Only the training knew.
    assert found["accuracy"] != 0.5
    assert found["examples"] == 360
    assert found["l1_interval"] == [0.1, 0.1]
    assert len(found["filters_per_class"]) == 10
    assert {"mis", "specificity", "removed_own_recall"} <= set(found)
    assert (runs[0] / "ablation.png").exists()
    assert "mis_picnn" not in found


def test_people_get_a_table(runs, run_cli):
    code, out, err = run_cli("evaluate", runs[0])
    assert code == 0, err
    assert str(runs[0]) in out and "class specific accuracy" in out
    assert "0.1000 to 0.1000" in out and "not measured" not in out


def printed(capfd, found, together):
    _print_tables(found["runs"], {name: found[name] for name in together})
    return capfd.readouterr().out


def test_two_runs_stand_side_by_side(runs, run_cli, capfd):
    gated, _, standard = map(str, runs)
    code, out, err = run_cli("evaluate", gated, "--against", standard, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert set(found["runs"]) == {gated, standard}
    assert "l1_density" not in found["runs"][standard]
    assert "l1_density" not in found["difference"]
    ours, theirs = (found["runs"][path]["mis"] for path in (gated, standard))
    assert found["difference"]["mis"] == pytest.approx(ours - theirs)
    out = printed(capfd, found, ["difference"])
    assert "difference" in out
    assert out.count("not measured without a gate") == 1
    assert f"{standard}: not measured" in out


def test_several_runs_have_mean_and_deviation(runs, run_cli, capfd):
    paths = [str(path) for path in runs[:2]]
    code, out, err = run_cli("evaluate", *paths, "--json")
    assert code == 0, err
    found = json.loads(out)
    values = [found["runs"][path]["accuracy"] for path in paths]
    assert found["mean"]["accuracy"] == pytest.approx(np.mean(values))
    assert found["standard_deviation"]["accuracy"] == pytest.approx(
        np.std(values, ddof=1)
    )
    out = printed(capfd, found, ["mean", "standard_deviation"])
    assert "standard deviation" in out and "mean" in out


def test_picnn_is_a_second_score(runs, run_cli):
    args = ("evaluate", runs[1], "--mis-variant", "picnn", "--json")
    code, out, err = run_cli(*args)
    assert code == 0, err
    found = json.loads(out)
    assert found["mis_picnn"] > 0 and found["mis"] > 0


def test_what_is_no_run_is_refused(run_cli, tmp_path):
    error = refused(run_cli, tmp_path / "nothing")
    assert "nothing is not a run directory" in error
    assert "Missing argument 'RUN...'" in refused(run_cli)


def test_an_unfinished_run_is_refused(run_cli, tmp_path):
    path = save_run(tmp_path / "run", finished=False)
    assert "training is not finished" in refused(run_cli, path)


@pytest.mark.parametrize("name", ["model.keras", "config.json", "metrics.json"])
def test_a_damaged_file_is_named(run_cli, tmp_path, name):
    path = save_run(tmp_path / "run")
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[: len(content) // 2])
    assert name in refused(run_cli, path)


def test_runs_on_different_data_are_refused(runs, run_cli, tmp_path):
    other = save_run(tmp_path / "other", data="cifar10")
    for args in ([runs[0], other], [runs[0], "--against", other]):
        error = refused(run_cli, *args)
        assert "different data" in error and "cifar10" in error


def test_a_run_named_twice_is_refused(runs, run_cli):
    again = runs[0] / ".." / runs[0].name
    assert "named twice" in refused(run_cli, runs[0], again)


def test_against_takes_one_run(runs, run_cli):
    error = refused(run_cli, runs[0], runs[1], "--against", runs[2])
    assert "--against takes one RUN" in error


def test_other_classes_than_the_runs_are_refused(run_cli, tmp_path):
    path = save_run(tmp_path / "run")
    Run(path).save_model(CSGClassifier(tiny_backbone(), 4))
    assert "other classes" in refused(run_cli, path)


def test_a_variant_the_network_does_not_allow_is_refused(run_cli, tmp_path):
    import keras

    path = save_run(tmp_path / "run")
    backbone = tiny_backbone()
    cut = keras.Model(backbone.input, backbone.get_layer("conv").output)
    Run(path).save_model(CSGClassifier(cut, 10))
    error = refused(run_cli, path, "--mis-variant", "picnn")
    assert "ends with 'conv'" in error


def test_a_class_is_ablated_in_a_picture(runs, run_cli):
    code, out, err = run_cli("evaluate", runs[0], "--ablate", "3")
    assert code == 0, err
    assert (runs[0] / "ablation-3.png").exists()


def test_what_cannot_be_ablated_is_named(runs, run_cli):
    assert "no class 'three'" in refused(run_cli, runs[0], "--ablate", "three")
    assert "gate" in refused(run_cli, runs[2], "--ablate", "3")
