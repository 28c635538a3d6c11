"""A run goes on with the options that it was begun with, however said."""

import json
import os

import pytest

from keras_csg.choices import OF_THE_MACHINE
from keras_csg.training import Run, TrainingOptions
from keras_csg.training.changed_options import (
    check_given,
    check_unedited,
    edited_names,
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that was begun, with what its options became."""
    monkeypatch.chdir(tmp_path)
    run = Run(tmp_path / "run")
    run.create(
        TrainingOptions(
            data=str(tmp_path / "photos"),
            labels=str(tmp_path / "photos" / "labels.csv"),
            image_size="32x32",
            weights="weights:cifar10",
            class_weights=str(tmp_path / "weights.csv"),
            hold_out_classes="cat, dog",
            precision="float32",
            epochs=37,
            time_budget=10.0,
            batch_size=32,
        )
    )
    run.unlock()
    return run


@pytest.mark.parametrize(
    "given",
    [
        {"data": "photos"},
        {"data": "./photos/"},
        {"labels": "labels.csv"},
        {"labels": "photos/labels.csv"},
        {"image_size": 32},
        {"weights": "cifar10"},
        {"class_weights": "weights.csv"},
        {"hold_out_classes": ["cat", "dog"]},
        {"precision": "auto"},
        {"time_budget": 10, "epochs": 100},
        {"seed": None, "batch_size": 32},
        {"cache": "on", "device": "cpu", "data_dir": "elsewhere"},
    ],
)
def test_the_same_said_otherwise_is_the_same(run, given):
    check_given(run, given)


@pytest.mark.parametrize(
    ("given", "was", "now"),
    [
        ({"data": "other"}, "data='/", "data='other'"),
        ({"image_size": 64}, "image_size='32x32'", "image_size=64"),
        ({"weights": "imagenet"}, "weights='weights:", "weights='imagenet'"),
        ({"hold_out_classes": "dog"}, "('cat', 'dog')", "('dog',)"),
        ({"precision": "mixed_bfloat16"}, "'float32'", "'mixed_bfloat16'"),
        ({"time_budget": 20.0}, "time_budget=10.0", "time_budget=20.0"),
        ({"standard": True}, "standard=False", "standard=True"),
        ({"class_weights": "balanced"}, "weights.csv'", "'balanced'"),
    ],
)
def test_what_differs_is_named_with_both_values(run, given, was, now):
    with pytest.raises(ValueError, match="was begun with") as error:
        check_given(run, given)
    begun, received = str(error.value).split("Received: ")
    assert was in begun and now in received
    for name in ("epochs", *OF_THE_MACHINE):
        assert f"`{name}`" in received


def test_a_long_value_is_cut(run):
    with pytest.raises(ValueError) as error:
        check_given(run, {"data": "x" * 10_000})
    assert len(str(error.value)) < 1000


def edit(run, **changes):
    config = json.loads(run.config_path.read_text())
    run.config_path.write_text(json.dumps({**config, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cache": "on", "loggers": ["none"], "devices": 2},
        {"epochs": 60, "time_budget": None},
        {"epochs": 60},
    ],
)
def test_more_epochs_and_the_machine_are_no_edit(run, changes):
    recorded = run.read_record().options
    edit(run, **changes)
    assert edited_names(run, recorded) == []
    check_unedited(run, recorded, "its record")


@pytest.mark.parametrize(
    "changes",
    [{"epochs": 5}, {"time_budget": None}, {"seed": 1}, {"image_size": 32}],
)
def test_other_edits_are_named(run, changes):
    recorded = run.read_record().options
    edit(run, **changes)
    (name,) = changes
    with pytest.raises(ValueError, match=f"was edited: it says {name}="):
        check_unedited(run, recorded, "its record")


def test_options_of_later_versions_do_not_count(run):
    """A record of before knows fewer of them."""
    recorded = run.read_record().options
    del recorded["seed"]
    edit(run, seed=5)
    assert edited_names(run, recorded) == []


def test_where_data_are_now_has_a_way_out(run):
    recorded = run.read_record().options
    edit(run, data=os.path.abspath("moved"))
    with pytest.raises(ValueError, match="now with `data_dir`, or start"):
        check_unedited(run, recorded, "its record")
