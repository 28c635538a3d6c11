"""A run as one page: what is in it, and what is refused."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg import InputError
from tests.reports.test_page import data_of
from tests.source_tree import ROOT
from tests.tiny import registered_tiny
from tests.tiny_run import make_tiny_run
from tests.training.pairs import write_pairs


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    """A run that was trained a little, and measured."""
    path = make_tiny_run(tmp_path_factory.mktemp("report") / "gated", digits, 3)
    keras_csg.evaluate(path, log=None)
    return path


@pytest.fixture(scope="module")
def standard(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    options = {"standard": True}
    return make_tiny_run(folder / "std", digits, 2, options, gated=False)


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run, tmp_path / "copy")


def page_of(run, tmp_path, **kwargs):
    path = keras_csg.report(run, tmp_path / "page.html", log=None, **kwargs)
    return path.read_text("utf-8")


def figures_of(page, kind="figure"):
    found = re.findall(rf'data-{kind}="(\w+)" data-value="([^"]*)"', page)
    return {name: float(value) for name, value in found if value}


def test_the_figures_are_those_of_metrics_json(run, tmp_path):
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    page = page_of(run, tmp_path)
    metrics = json.loads((run / "metrics.json").read_text())
    figures = figures_of(page)
    assert len(figures) > 20
    assert figures == {name: metrics[name] for name in figures}
    recalls = [c["recall"] for c in data_of(page)["browser"]["classes"]]
    assert recalls == pytest.approx(metrics["class_recall"], abs=1e-3)
    counts = re.findall(r"([\d,]+) of ([\d,]+) test images went wrong", page)
    wrong = round((1 - metrics["accuracy"]) * metrics["examples"])
    assert counts == [(str(wrong), str(metrics["examples"]))]
    after = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    assert after == before


def test_a_card_is_written_beside_it(run, tmp_path):
    page_of(run, tmp_path, license="mit")
    text = (tmp_path / "page.card.md").read_text("utf-8")
    assert text.startswith('---\nlibrary_name: "keras"\n')
    assert 'license: "mit"' in text
    page_of(run, tmp_path)  # Nobody changed it: it is written again.
    (tmp_path / "page.card.md").write_text("# Mine\n")
    with pytest.raises(InputError, match="page.card.md .* stays as it is"):
        page_of(run, tmp_path)
    assert (tmp_path / "page.card.md").read_text() == "# Mine\n"
    page_of(run, tmp_path, card=tmp_path / "other.md")
    assert (tmp_path / "other.md").exists()


def test_two_runs_side_by_side(run, standard, tmp_path):
    page = page_of(run, tmp_path, against=standard)
    counts = re.search(r'<table class="agreement">(.*?)</table>', page, re.S)
    numbers = re.findall(r'<td class="number">([\d,]+)</td>', counts[1])
    assert sum(int(n) for n in numbers) == 360
    first, second = figures_of(page), figures_of(page, "other")
    assert round(360 * first["accuracy"]) == int(numbers[0]) + int(numbers[1])
    assert round(360 * second["accuracy"]) == int(numbers[0]) + int(numbers[2])
    assert "compared" in data_of(page)["charts"]
    assert "measured for this page" in page  # It had no metrics.json.


def test_a_run_without_a_gate_shows_what_there_is(standard, tmp_path):
    page = page_of(standard, tmp_path)
    assert "This network was trained without a gate" in page
    charts = data_of(page)["charts"]
    assert "confusion" in charts and "gate" not in charts


@pytest.mark.slow
def test_several_classes_an_image(tmp_path):
    pairs = write_pairs(tmp_path / "pairs", 120)
    with registered_tiny():
        keras_csg.train(
            data=pairs,
            labels=pairs / "labels.csv",
            multi_label=True,
            backbone="tiny",
            epochs=1,
            batch_size=32,
            out=tmp_path / "run",
            log=None,
        )
        page = page_of(tmp_path / "run", tmp_path)
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    figures = figures_of(page)
    assert (
        figures["mean_average_precision"] == (metrics["mean_average_precision"])
    )
    assert not {"confusion", "reliability"} & data_of(page)["charts"].keys()
    assert "Not defined where an image may have several classes" in page
    assert {"curve-score", "gate", "kept"} <= data_of(page)["charts"].keys()


def test_a_run_of_0_1_0(tmp_path):
    old = shutil.copytree(
        ROOT / "tests/compatibility/0.1.0/run", tmp_path / "old"
    )
    page = page_of(old, tmp_path)
    metrics = json.loads((old / "metrics.json").read_text())
    figures = figures_of(page)
    assert figures["accuracy"] == metrics["accuracy"] and "ece" in figures


def test_figures_that_do_not_fit_are_told_of(copy, tmp_path):
    path = copy / "metrics.json"
    metrics = json.loads(path.read_text())
    (copy / "checksums.json").unlink()
    path.write_text(json.dumps({**metrics, "accuracy": 0.1234}))
    assert "says that accuracy is 0.1234" in page_of(copy, tmp_path)


def test_names_of_folders_are_text(tmp_path):
    rng = np.random.default_rng(0)
    names = ['<img onerror="alert(1)">', "$a$ & b"]
    for name in names:
        for split, count in (("train", 8), ("test", 4)):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for n in range(count):
                image = rng.integers(0, 256, (8, 8, 3), "uint8")
                Image.fromarray(image).save(folder / f"{n}.png")
    data = keras_csg.load_data(tmp_path / "data", image_size=8)
    run = make_tiny_run(
        tmp_path / "run", data, options={"data": str(tmp_path / "data")}
    )
    page = page_of(run, tmp_path)
    assert "<img onerror" not in page and "&lt;img onerror" in page
    assert data_of(page)["browser"]["names"] == sorted(names, reverse=False)


@pytest.mark.parametrize(
    "text, word",
    [
        ("{", "metrics.json is damaged"),
        ("[1, 2]", "`it` must be a table"),
        ('{"accuracy": "high"}', "accuracy is 'high'"),
        ('{"accuracy": true}', "accuracy is 'True'"),
        ('{"mis": Infinity}', "Infinity is no number"),
    ],
)
def test_damaged_metrics_are_named(copy, tmp_path, text, word):
    (copy / "checksums.json").unlink()  # It would be noticed first.
    (copy / "metrics.json").write_text(text)
    with pytest.raises(InputError, match=word):
        page_of(copy, tmp_path)
    assert not (tmp_path / "page.html").exists()


def test_a_damaged_history_is_named(copy, tmp_path):
    with (copy / "history.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["epoch", "loss"], ["1", "much"]])
    with pytest.raises(InputError, match="history.csv is damaged"):
        page_of(copy, tmp_path)


def test_a_run_of_other_classes_is_refused(run, tmp_path, monkeypatch):
    def load(*_, **__):
        pytest.fail("data were loaded for what can be known before")

    monkeypatch.setattr("keras_csg.reports.gathering.load_run_data", load)
    data = keras_csg.load_data("shapes", image_size=8)
    other = make_tiny_run(tmp_path / "shapes", data)
    with pytest.raises(InputError, match="other classes .* class 0 is '0'"):
        page_of(run, tmp_path, against=other)


def test_a_run_is_not_set_beside_itself(run, tmp_path):
    with pytest.raises(InputError, match="another run"):
        page_of(run, tmp_path, against=f"{run}/")


def test_data_that_are_gone_are_named(copy, tmp_path):
    config = json.loads((copy / "config.json").read_text())
    config["data"] = "/nowhere/photos"
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="photos.*data_dir"):
        page_of(copy, tmp_path)


@pytest.mark.parametrize(
    "out, word",
    [
        ("page.txt", ".html file"),
        ("page", ".html file"),
        ("", "must not be empty"),
        (".", "a folder"),
        (3, "must be a path"),
    ],
)
def test_an_out_that_is_no_page_is_refused(run, tmp_path, out, word):
    path = tmp_path / out if out and isinstance(out, str) else out
    with pytest.raises(InputError, match=word):
        keras_csg.report(run, path, log=None)


def test_the_run_itself_is_not_written_over(run):
    with pytest.raises(InputError, match="a folder"):
        keras_csg.report(run, run, log=None)


@pytest.mark.parametrize(
    "argument, value, word",
    [
        ("card", "card.txt", ".md file"),
        ("images_per_filter", 0, "images_per_filter"),
        ("batch_size", True, "batch_size"),
        ("license", "", "license"),
        ("track", 3, "track"),
        ("against", "nowhere", "nowhere"),
    ],
)
def test_mistakes_are_named(run, tmp_path, argument, value, word):
    with pytest.raises(InputError, match=word):
        page_of(run, tmp_path, **{argument: value})
