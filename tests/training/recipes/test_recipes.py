"""Options by name, and what wins over them."""

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.backbones import create_backbone
from keras_csg.training import TrainingOptions, list_recipes, read_recipe
from keras_csg.training.recipes import with_recipe

SIDE = 64
NAMES = [recipe.name for recipe in list_recipes()]
# What a recipe cannot answer for, for a test.
GIVEN = {"data": "digits", "weights": "somewhere.keras"}


def test_these_there_are():
    assert NAMES == [
        "cifar10",
        "digits",
        "fine-tune",
        "imagenet",
        "imagenet-resnet18",
        "paper",
        "photographs",
        "voc-animals-resnet152",
    ]
    assert keras_csg.list_recipes() == list_recipes()


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_holds_options_and_says_what_it_is_for(name):
    recipe = read_recipe(name)
    needed = {need: GIVEN[need] for need in recipe.needs}
    options = with_recipe({"recipe": name, **needed})
    assert TrainingOptions.from_dict(options).recipe == name
    assert not set(recipe.needs) & set(recipe.options)
    assert len(recipe.description.splitlines()) == 1


def test_what_is_given_wins():
    options = with_recipe({"recipe": "paper", "lambda_4": 0.5, "epochs": 24})
    assert (options["lambda_4"], options["epochs"]) == (0.5, 24)
    assert options["lambda_3"] == 0
    assert options["gate_schedule"] == "alternating"


def test_without_a_recipe_nothing_is_added():
    assert with_recipe({"epochs": 3}) == {"epochs": 3}
    assert with_recipe({"recipe": None}) == {"recipe": None}


def test_the_rate_follows_the_batch():
    options = with_recipe({"recipe": "cifar10", "batch_size": 32})
    assert options["learning_rate"] == pytest.approx(0.025)
    options = with_recipe({"recipe": "fine-tune", "batch_size": 8, **GIVEN})
    assert options["learning_rate"] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    "given", [{"optimizer": "adamw"}, {"backbone": "ConvNeXt_Tiny"}]
)
def test_the_rate_of_another_optimizer_is_not_taken(given):
    options = with_recipe({"recipe": "cifar10", **given})
    for name in ("learning_rate", "weight_decay"):
        assert name not in options
    assert options["epochs"] == 60


def test_another_backbone_of_the_same_make_keeps_it():
    options = with_recipe({"recipe": "paper", "backbone": "resnet56"})
    assert options["weight_decay"] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"recipe": "papers"}, "Unknown recipe 'papers'; did you mean 'paper'"),
        ({"recipe": "zzz"}, "Those there are: cifar10, digits"),
        ({"recipe": "fine-tune"}, "'fine-tune' needs `weights`, too"),
        (
            {"recipe": "voc-animals-resnet152"},
            "needs `data` and `weights`, too",
        ),
        ({"recipe": 3}, "`recipe` must be of type"),
        ({"recipe": "cifar10", "batch_size": "many"}, "`batch_size` must be"),
    ],
)
def test_what_cannot_be_had_is_said(given, match):
    with pytest.raises(ValueError, match=match):
        with_recipe(given)
    with pytest.raises(keras_csg.InputError, match=match):
        keras_csg.train("runs/none", log=None, **given)


@pytest.fixture
def photographs(tmp_path):
    """Two images a class, of two classes, in each of two splits."""
    rng = np.random.default_rng(0)
    for number in range(12):
        split = "train" if number < 8 else "val"
        folder = tmp_path / "photographs" / split / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (80, 80, 3), "uint8")
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "photographs"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_trains(name, photographs, tmp_path):
    """With all of its options but the data, the sizes and the length.

    At 32 pixels the last maps of ResNet-50 are single points, and gradients
    through batch statistics of six of them end its only step in overflow.
    """
    recipe = read_recipe(name)
    given = {"data": photographs, "image_size": SIDE, "epochs": 1}
    if "weights" in recipe.needs:
        given["weights"] = tmp_path / "backbone.weights.h5"
        backbone = recipe.options.get("backbone", "resnet20")
        network = create_backbone(backbone, input_shape=(SIDE, SIDE, 3))
        network.save_weights(given["weights"])
        given |= {"head_epochs": 1, "backbone": backbone}
    lines = []
    figures = keras_csg.train(
        tmp_path / "run", recipe=name, log=lines.append, **given
    )
    assert 0 <= figures["accuracy"] <= 1
    assert any(line.startswith("epoch 1/1") for line in lines)
