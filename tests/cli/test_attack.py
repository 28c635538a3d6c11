import json

import pytest


def test_a_table_and_a_file(run, run_cli):
    code, out, err = run_cli(
        "attack", run, "--epsilon", "16/255", "--limit", "40"
    )
    assert code == 0, err
    for word in ("robust accuracy", "success rate", "(16.00/255)", "minutes"):
        assert word in out
    assert "source" not in out and "undefined" not in out
    assert "Attacking" in err
    assert json.loads((run / "attack.json").read_text())["images"] == 40


def test_json_is_what_is_written(run, run_cli, tmp_path):
    options = ["--norm", "l2", "--epsilon", "0.5", "--targeted"]
    options += ["--save", tmp_path / "images", "--limit", "10", "--json"]
    options += ["--method", "fgsm", "--head", "class_specific"]
    code, out, err = run_cli("attack", run, *options)
    assert code == 0, err
    assert json.loads(out) == json.loads((run / "attack.json").read_text())
    assert json.loads(out)["targeted"] is True
    assert (tmp_path / "images" / "index.csv").exists()


@pytest.mark.parametrize(
    "options, words",
    [
        (["--epsilon", "8"], "--epsilon must be a share"),
        (["--method", "pdg"], "--method"),
        (["--norm", "l1"], "--norm"),
        (["--from", "nowhere"], "nowhere"),
        (["--method", "deepfool", "--norm", "linf"], "--norm must be l2"),
    ],
)
def test_mistakes_are_one_line(tiny_run, run_cli, options, words):
    code, out, err = run_cli("attack", tiny_run, *options)
    assert code == 2
    assert out == "" and len(err.splitlines()) == 1 and words in err


def test_a_table_of_what_changes_images(run, run_cli, make_tiny_run, tmp_path):
    other = make_tiny_run(tmp_path / "[b]other", epochs=2, gated=False)
    code, out, err = run_cli(
        "robustness",
        *(run, "--against", other, "--attacks", "fgsm"),
        *("--epsilons", "4/255,8/255", "--corruptions", "fog,jpeg"),
        *("--limit", "30"),
    )
    assert code == 0, err
    for word in ("as they are", "fgsm 4/255", "fgsm, mean", "fog", "jpeg"):
        assert word in out
    for word in ("mean of the corruptions", "difference", "±", "[b]other"):
        assert word in out
    assert (run / "robustness.png").exists()


def test_robustness_prints_json(run, run_cli):
    code, out, err = run_cli(
        "robustness",
        *(run, "--attacks", "none", "--corruptions", "jpeg"),
        *("--limit", "5", "--json"),
    )
    assert code == 0, err
    written = json.loads((run / "robustness.json").read_text())
    assert json.loads(out) == written


@pytest.mark.parametrize(
    "options, words",
    [
        (["--attacks", "rain"], "--attacks must be one of"),
        (["--corruptions", "rain"], "--corruptions must be one of"),
        (["--epsilons", "8"], "8/255"),
        (["--against", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_about_changes_are_one_line(tiny_run, run_cli, options, words):
    code, out, err = run_cli("robustness", tiny_run, *options)
    assert code == 2
    assert out == "" and len(err.splitlines()) == 1 and words in err
