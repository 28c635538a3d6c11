"""Every figure that is shown has words, and the words are short."""

import json

import numpy as np
import pytest

from keras_csg.evaluation.multi_label import (
    multi_label_figures,
    multi_label_gate_figures,
)
from keras_csg.metrics import Head, multi_label_ablation
from keras_csg.reports.sentences import (
    GROUPS,
    SENTENCES,
    percent,
    shown,
)
from tests.source_tree import ROOT

# What the page shows by class or as a picture, and what is of the machine.
ELSEWHERE = {
    "class_precision",
    "class_recall",
    "class_f1",
    "class_support",
    "class_average_precision",
    "class_specific_class_average_precision",
    "class_mis",
    "confusion_matrix",
    "filters_per_class",
    "l1_interval",
}


def keys_of_the_documents():
    """Returns the keys of metrics.json as docs/runs.md lists them."""
    text = (ROOT / "docs/runs.md").read_text("utf-8")
    table = text.split("## Keys of metrics.json")[1].split("## ")[0]
    for line in table.splitlines():
        if line.startswith("| `"):
            first = line.split("|")[1]
            yield from (word.strip("` ") for word in first.split(","))


@pytest.mark.parametrize("key", sorted(keys_of_the_documents()))
def test_each_key_has_a_sentence_or_a_place_of_its_own(key):
    times = key.endswith("_seconds") and key != "epoch_seconds"
    assert key in SENTENCES or key in ELSEWHERE or times


@pytest.mark.parametrize("name", ["cifar10", "cifar10-standard"])
def test_all_that_was_measured_of_shipped_weights_has_a_sentence(name):
    shipped = ROOT / f"keras_csg/backbones/weights/shipped/{name}.json"
    figures = json.loads(shipped.read_text("utf-8"))["figures"]
    numbers = {k for k, v in figures.items() if not isinstance(v, list)}
    times = {k for k in numbers if k.endswith("_seconds")} - {"epoch_seconds"}
    assert numbers - times <= SENTENCES.keys()


def test_figures_of_several_classes_have_a_sentence():
    labels = np.random.default_rng(0).integers(0, 2, (60, 3))
    features = np.hstack([labels, 1 - labels]).astype("float32")
    head = Head(np.eye(6, 3), np.zeros(3), np.eye(3)[:, [0, 1, 2] * 2])
    figures = multi_label_figures(features, labels, head)
    figures |= multi_label_gate_figures(features, labels, head)
    figures |= multi_label_ablation(features, labels, head).figures()
    assert figures.keys() <= SENTENCES.keys() | ELSEWHERE


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_is_one_plain_sentence(name):
    label, meaning, unit, good, group = SENTENCES[name]
    assert meaning.endswith(".") and ". " not in meaning and label
    assert len(meaning) < 140 and group in GROUPS and unit


@pytest.mark.parametrize(
    "name, value, text",
    [
        ("accuracy", 0.98765, "98.8\xa0%"),
        ("examples", 10000, "10,000"),
        ("mis", 0.25321, "0.253 nats"),
        ("brier", 0.1, "0.100"),
        ("same_class_correlation", None, "not defined"),
        ("training_minutes", 15.73, "15.7 minutes"),
    ],
)
def test_numbers_as_text(name, value, text):
    assert shown(name, value) == text


def test_a_share_that_is_not_defined_is_a_dash():
    assert percent(None) == percent(float("nan")) == "–"
