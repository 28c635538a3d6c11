import json

import pytest

from keras_csg.training import Run, list_recipes


def test_the_recipes_are_listed(run_cli):
    code, out, err = run_cli("recipes")
    assert code == 0
    for recipe in list_recipes():
        assert recipe.name in out
    assert "--weights" in out


def test_all_of_their_options_as_json(run_cli):
    code, out, err = run_cli("recipes", "--json")
    (paper,) = [r for r in json.loads(out) if r["name"] == "paper"]
    assert paper["options"]["lambda_3"] == 0
    assert code == 0


@pytest.mark.slow
def test_training_by_a_recipe_says_so_in_its_run(run_cli, tmp_path, tiny_name):
    code, out, err = run_cli(
        "train", "--recipe", "paper", "--data", "digits", "--epochs", "1",
        "--backbone", tiny_name, "--image-size", "8", "--out", tmp_path / "run",
    )  # fmt: skip
    assert code == 0, err
    options = Run(tmp_path / "run").options
    assert options.recipe == "paper"
    assert options.gate_schedule == "alternating"
    assert options.lambda_5 == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "--recipe", "papers"), "did you mean 'paper'?"),
        (("train", "--recipe", "fine-tune"), "needs --weights"),
        (("recipes", "paper"), "unexpected extra argument"),
    ],
)
def test_mistakes_are_told(run_cli, arguments, said):
    code, out, err = run_cli(*arguments)
    assert code == 2
    assert said in err and "Traceback" not in err
