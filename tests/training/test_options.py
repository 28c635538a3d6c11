import json
import pathlib

import numpy as np
import pytest

from keras_csg.data import load_data
from keras_csg.training.config_files import read_config
from keras_csg.training.options import CHOICES, TrainingOptions
from keras_csg.training.recipes import fill_in


def test_an_unknown_option_gets_the_nearest_name():
    with pytest.raises(ValueError, match="'epoch'; did you mean 'epochs'"):
        TrainingOptions.from_dict({"epoch": 3})


@pytest.mark.parametrize(
    "values, match",
    [
        ({"epochs": "3"}, "`epochs` must be of type int or null"),
        ({"epochs": True}, "`epochs` must be of type int"),
        ({"standard": 1}, "`standard` must be of type bool"),
        ({"epochs": 0}, "at least 1 and .* Received: epochs=0"),
        ({"density": 0.0}, "above 0 and at most 1"),
        ({"learning_rate": -1}, "learning_rate=-1"),
        ({"learning_rate": float("inf")}, "finite.*learning_rate=inf"),
        ({"weight_decay": float("nan")}, "finite.*weight_decay=nan"),
        ({"weights": ""}, "`weights` must not be empty"),
        ({"backbone": pathlib.Path("resnet20")}, "`backbone` must be of type"),
        ({"optimizer": "sdg"}, "sgd, adam"),
        ({"precision": "float16"}, "mixed_float16"),
        ({"freeze": "some"}, "all, statistics or a number.*freeze='some'"),
        ({"freeze": -2}, "at least 1. Received: freeze=-2"),
        ({"freeze": True}, "`freeze` must be of type int or str or null"),
        ({"freeze": 1.5}, "`freeze` must be of type int or str or null"),
        ({"loggers": "comet"}, "mlflow, wandb. Received: loggers="),
        ({"loggers": "none,wandb"}, "none or some others"),
        ({"loggers": 3}, "`loggers` must be of type str or list"),
        ({"weights": 3}, "`weights` must be of type str or null"),
    ],
)
def test_a_value_that_cannot_be_is_named(values, match):
    with pytest.raises(ValueError, match=match):
        TrainingOptions.from_dict(values)


def test_a_whole_number_does_for_a_float():
    assert TrainingOptions.from_dict({"lambda_1": 1}).lambda_1 == 1


@pytest.mark.parametrize("name", ["data", "data_dir", "weights"])
def test_a_path_becomes_a_str(name):
    values = {name: pathlib.Path("birds")}
    for options in (
        TrainingOptions(**values),
        TrainingOptions.from_dict(values),
    ):
        assert options.to_dict()[name] == "birds"


def test_numbers_of_numpy_become_pythons():
    values = {"epochs": np.int64(3), "learning_rate": np.float32(0.5)}
    options = TrainingOptions.from_dict(values)
    assert (options.epochs, options.learning_rate) == (3, 0.5)
    assert type(options.epochs) is int
    assert type(options.learning_rate) is float
    with pytest.raises(ValueError, match="`epochs` must be of type int"):
        TrainingOptions.from_dict({"epochs": np.float64(1.5)})


@pytest.mark.parametrize(
    "loggers", ["mlflow,wandb", "mlflow, wandb,mlflow", ["mlflow", "wandb"]]
)
def test_loggers_are_a_list_or_names_between_commas(loggers):
    options = TrainingOptions.from_dict({"loggers": loggers})
    assert options.loggers == ("mlflow", "wandb")
    assert TrainingOptions(loggers=()).loggers == ("none",)


def test_options_survive_json():
    options = TrainingOptions(
        epochs=3, density=0.2, weights="imagenet", freeze=5, loggers=["mlflow"]
    )
    text = json.dumps(options.to_dict())
    assert TrainingOptions.from_dict(json.loads(text)) == options


def test_config_files_are_json_or_toml(tmp_path):
    toml = tmp_path / "a.toml"
    toml.write_text('epochs = 3\nbackbone = "resnet32"\n')
    assert read_config(toml) == {"epochs": 3, "backbone": "resnet32"}
    run = tmp_path / "config.json"
    run.write_text('{"epochs": 3, "versions": {"keras": "3"}}')
    assert read_config(run) == {"epochs": 3}


@pytest.mark.parametrize(
    "name, text, match",
    [
        ("a.json", "{", "not a JSON"),
        ("a.toml", "= 3", "not a JSON or .toml"),
        ("a.json", "[1]", "table of options"),
        ("missing.json", None, "Cannot read"),
    ],
)
def test_a_file_that_is_no_config_is_named(tmp_path, name, text, match):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=match):
        read_config(path)


def filled(**options):
    return fill_in(TrainingOptions(**options), load_data("digits"))


def test_the_data_answer_for_everything():
    open_ends = {
        "recipe",
        "data_dir",
        "splits",
        "labels",
        "classes",
        "rename_classes",
        "merge_classes",
        "hold_out_classes",
        "white_level",
        "image_size",
        "weights",
        "freeze",
        "gate_at",
        "filters",
        "lambda_2",
        "class_weights",
        "clip_norm",
        "bn_momentum",
        "patience",
        "time_budget",
        "init",
        "ema",
        "long_tail",
        "logit_adjustment",
        "density",  # The classifier answers, and so for the next.
        "filter_dropout",
        "head_learning_rate",
        "loggers",
    }
    values = filled().to_dict()
    assert {k for k, v in values.items() if v is None} == open_ends


def test_what_the_user_says_wins():
    options = filled(learning_rate=0.3, epochs=2, augment="none")
    assert (options.learning_rate, options.epochs) == (0.3, 2)
    assert options.augment == "none"


def test_the_learning_rate_follows_batch_optimizer_and_weights():
    assert filled().learning_rate == pytest.approx(0.1)
    assert filled(batch_size=16).learning_rate == pytest.approx(0.025)
    assert filled(optimizer="adam").learning_rate == pytest.approx(1e-3)
    for name in ("ConvNeXt_Tiny", "cspdarknettiny", "yolov8xs"):
        assert filled(backbone=name).optimizer == "adamw"
    options = filled(backbone="vgg16")
    assert options.optimizer == "adamw"
    assert options.learning_rate == pytest.approx(1e-4)
    options = filled(backbone="vgg16", optimizer="sgd")
    assert options.learning_rate == pytest.approx(0.01)
    options = filled(weights="imagenet")
    assert options.optimizer == "adamw"
    assert options.learning_rate == pytest.approx(1e-3)
    assert options.head_learning_rate == pytest.approx(1e-3)
    assert options.backbone_rate == 1 < options.head_epochs
    options = filled(weights="imagenet", learning_rate=1e-5)
    assert options.head_learning_rate == pytest.approx(1e-3)
    options = filled(weights="imagenet", optimizer="sgd")
    assert options.learning_rate == pytest.approx(0.01)


def test_small_mobile_networks_learn_from_few_images():
    """With steps enough: gradient descent left them at chance."""
    for name in ("mobilenetv2", "efficientnetliteb0"):
        options = filled(backbone=name)
        assert options.optimizer == "adamw" and options.batch_size == 32
        assert options.learning_rate == pytest.approx(3e-3)
    assert filled(backbone="convnexttiny").learning_rate == pytest.approx(1e-3)
    options = filled(backbone="mobilenetv2", optimizer="sgd")
    assert (options.batch_size, options.learning_rate) == (64, 0.1)
    options = filled(backbone="mobilenetv2", weights="imagenet")
    assert options.learning_rate == pytest.approx(1e-3)


def test_digits_are_not_mirrored():
    assert filled().augment == "crop"


def test_choices_are_those_of_the_command_line():
    from keras_csg_cli.train import train

    offered = {
        parameter.name: tuple(parameter.type.choices)
        for parameter in train.params
        if hasattr(parameter.type, "choices")
    }
    assert offered == CHOICES


def test_the_command_line_offers_every_option():
    from keras_csg_cli.train import train

    own = {"config_path", "out", "resume", "allow_changed_data", "as_json"}
    own |= {"coordinator", "processes", "process_id"}
    names = {parameter.name for parameter in train.params} - own
    assert names == set(TrainingOptions().to_dict())
