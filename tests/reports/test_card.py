"""The model card, as a hub and a reader of Markdown take it."""

import dataclasses

import pytest

from keras_csg.reports.card import card_text, is_unchanged, make_card
from keras_csg.reports.recipe import command_of, here
from keras_csg.training.options import TrainingOptions
from keras_csg_cli.main import cli
from tests.reports.fakes import fake

yaml = pytest.importorskip("yaml")
NAMES = ["cat | dog", "<b>x</b>", "*star* `tick`", "é \u2028 \U0001f600"]


def block_of(text):
    """Returns what a hub reads at the head of a card."""
    start, block, rest = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(block), rest


def card_of(gathered, license=None):
    return card_text(gathered, make_card(gathered, license))


def test_the_block_holds_what_was_measured():
    gathered = fake(NAMES)
    block, _ = block_of(card_of(gathered, "Apache-2.0"))
    assert block["library_name"] == "keras"
    assert block["pipeline_tag"] == "image-classification"
    assert block["license"] == "apache-2.0"
    assert "class-specific-gate" in block["tags"]
    assert block["datasets"] == ["digits"]
    (result,) = block["model-index"][0]["results"]
    values = {m["type"]: m["value"] for m in result["metrics"]}
    figures = gathered.measured.figures
    assert values["accuracy"] == figures["accuracy"]
    assert values["expected_calibration_error"] == figures["ece"]
    assert result["dataset"]["split"] == "test"


def test_a_licence_that_nobody_named_is_left_open():
    block, text = block_of(card_of(fake(NAMES)))
    assert "license" not in block
    assert "Whoever publishes the model has to say" in text


def test_any_name_survives_the_block():
    gathered = fake(["a", "b"])
    for name in (
        "yes",
        "1.0",
        'q"uote: #',
        "a\u0085b\u2028",
        "\U0001f600",
        "-",
    ):
        about = dataclasses.replace(gathered.about, name=name)
        block, _ = block_of(card_of(dataclasses.replace(gathered, about=about)))
        assert block["model-index"][0]["name"] == name


def test_names_are_text_in_markdown():
    _, text = block_of(card_of(fake(NAMES)))
    assert "| cat \\| dog |" in text
    assert "<b>" not in text and "&lt;b&gt;" in text
    assert "\\*star\\* \\`tick\\`" in text


def test_limits_name_weak_classes_and_those_with_few_images():
    gathered = fake(["a", "b", "c"])
    classes = {
        **gathered.measured.classes,
        "class_recall": [0.9, 0.9, 0.4],
        "class_support": [100, 12, 100],
    }
    measured = dataclasses.replace(gathered.measured, classes=classes)
    limits = make_card(dataclasses.replace(gathered, measured=measured)).limits
    assert any("less often than the others: c (40.0" in line for line in limits)
    assert any(line.endswith("say little: b.") for line in limits)
    assert any("Not measured: fairness" in line for line in limits)


def test_a_card_that_somebody_changed_is_told(tmp_path):
    path = tmp_path / "card.md"
    text = card_of(fake(NAMES))
    path.write_text(text, "utf-8")
    assert is_unchanged(path)
    path.write_text(text.replace("## Limits", "## Our limits"), "utf-8")
    assert not is_unchanged(path)
    path.write_text("# Mine\n")
    assert not is_unchanged(path)


@pytest.mark.parametrize(
    "options",
    [
        TrainingOptions(),
        TrainingOptions(
            standard=True, epochs=3, optimizer="adamw", density=0.2
        ),
        TrainingOptions(data="cifar10", augment="crop_flip,mixup", ema=0.99),
        TrainingOptions(backbone="mobilenetv2", weights="imagenet", freeze=3),
        TrainingOptions(
            data="two words", background="#fff", deterministic=True
        ),
    ],
)
def test_the_command_means_the_options(options):
    import shlex

    words = shlex.split(command_of(options))
    assert words[:2] == ["keras-csg", "train"]
    command = cli.commands["train"]
    given = command.make_context("train", words[2:]).params
    expected = {
        name: value
        for name, value in options.to_dict().items()
        if value != getattr(TrainingOptions(), name)
    }
    for name, value in expected.items():
        assert str(given[name]) == str(value)


def test_a_path_of_this_machine_is_not_told():
    assert here("/home/me/photos/") == "photos"
    assert here("cifar10") == "cifar10"
    options = TrainingOptions(data="/home/me/photos", data_dir="/home/me")
    assert command_of(options) == "keras-csg train --data photos"
