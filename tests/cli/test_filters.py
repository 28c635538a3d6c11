import csv
import json
import re

import keras
import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.data import load_data
from keras_csg.training import Run
from tests.tiny_run import make_tiny_run as tiny_run_at


def names_file(tmp_path, text, name="names.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def one_line(err):
    lines = [line for line in err.splitlines() if line.startswith("Error")]
    assert len(lines) == 1, err
    return lines[0]


def test_pages_tables_and_a_printed_table(run, run_cli):
    code, out, err = run_cli("filters", run)
    assert code == 0, err
    assert "without them" in out and "20 filters: " in out
    folder = run / "filters"
    names = {path.name for path in folder.iterdir()}
    pages = {f"class-{number:03d}.html" for number in range(10)}
    assert names == {*pages, "index.html", "filters.csv", "filters.json"}
    found = json.loads((folder / "filters.json").read_text())
    assert len(found["filters"]) == 20 and len(found["classes"]) == 10
    assert found["figures"]["samples"] == 360
    with (folder / "filters.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["filter"] for row in rows] == [str(k) for k in range(20)]
    for row, entry in zip(rows, found["filters"], strict=True):
        assert row["class"] == entry["class"]
        assert row["images"] == "|".join(map(str, entry["images"]))


def test_json_is_what_is_written(run, run_cli):
    code, out, err = run_cli("filters", run, "--json", "--limit", "50")
    assert code == 0, err
    assert json.loads(out) == json.loads(
        (run / "filters" / "filters.json").read_text()
    )
    assert json.loads(out)["figures"]["samples"] == 50


def test_figures_are_those_of_evaluate(run, run_cli):
    figures = keras_csg.evaluate(run, log=None)
    survey = keras_csg.filters(run, log=None)
    assert survey.recall == pytest.approx(figures["class_recall"])
    assert survey.own_information.mean() == pytest.approx(
        figures["own_class_mis"], rel=1e-5
    )
    assert survey.dead.sum() == figures["dead_filters"]
    assert survey.shared.sum() == figures["shared_filters"]


def test_a_limit_is_spread_over_the_split(run):
    survey = keras_csg.filters(run, limit=7, batch_size=50, log=None)
    split = keras_csg.load_data("digits", image_size=8).test
    numbers = np.arange(7) * 360 // 7
    shown = np.unique(survey.top_samples)
    assert set(shown) - {-1} <= set(numbers.tolist())
    images, labels = split.images_and_labels()
    for number, row in survey.thumbnail_of.items():
        assert (survey.thumbnails[row] == images[number]).all()
    there = survey.top_samples >= 0
    assert (survey.top_labels[there] == labels[survey.top_samples[there]]).all()


def test_some_filters_and_classes_alone(run, run_cli):
    run_cli("filters", run)
    whole = {path: path.read_bytes() for path in (run / "filters").iterdir()}
    folder = run / "filters-chosen"
    assert run_cli("filters", run, "--class", "4")[0] == 0
    own = folder / "class-notes.html"
    own.write_text("a page of the user's")
    code, out, err = run_cli(
        "filters", run, "--class", "3", "--filter", "7", "--images", "2"
    )
    assert code == 0, err
    # The survey of all is as it was.
    assert whole == {p: p.read_bytes() for p in (run / "filters").iterdir()}
    found = json.loads((folder / "filters.json").read_text())
    numbers = [row["filter"] for row in found["filters"]]
    of_three = [k for k in numbers if k != 7]
    survey = keras_csg.filters(run, filters=7, classes="3", log=None)
    assert (survey.filter_classes[of_three] == 3).all() and 7 in numbers
    assert all(len(row["images"]) <= 2 for row in found["filters"])
    pages = {path.name for path in folder.glob("class-*.html")}
    expected = {3, int(survey.filter_classes[7])}
    # Those of the survey before are gone, and nothing else is.
    assert pages == {f"class-{n:03d}.html" for n in expected} | {own.name}


def test_names_are_kept_and_shown(run, run_cli, tmp_path, digit):
    model = keras.saving.load_model(Run(run).model_path)
    best = int(np.argmax(Run(run).load_model().head.kernel.numpy().max(1)))
    text = f"filter,name\n{best},round <b>top</b>\n3,$x$\n"
    (run / "gate.png").write_bytes(b"")
    code, out, err = run_cli(
        "filters", run, "--names", names_file(tmp_path, text)
    )
    assert code == 0, err
    assert "keeps 2 names" in err
    named = Run(run).load_model()
    assert named.filter_names == {best: "round <b>top</b>", 3: "$x$"}
    # Nothing else has changed, the optimizer's state neither.
    for old, new in zip(model.weights, named.weights, strict=True):
        assert np.array_equal(old, new)
    old, new = model.optimizer.variables, named.optimizer.variables
    assert len(old) == len(new) > 2
    assert all(map(np.array_equal, old, new))
    assert named.fit(
        np.zeros((4, 8, 8, 3)), np.zeros(4, int), verbose=0
    ).history["loss"]
    with Image.open(run / "gate.png") as picture:
        assert picture.size[0] > 200
    html = "".join(p.read_text() for p in (run / "filters").glob("*.html"))
    assert "(round &lt;b&gt;top&lt;/b&gt;)" in html and "<b>top" not in html
    table = (run / "filters" / "filters.csv").read_text()
    assert f"{best},round <b>top</b>," in table

    # A second file adds, changes and takes away.
    more = names_file(tmp_path, '{"3": "", "4": "bar"}', "more.json")
    code, out, err = run_cli("filters", run, "--names", more)
    assert code == 0, err
    assert Run(run).load_model().filter_names == {
        best: "round <b>top</b>",
        4: "bar",
    }
    # The written table can be edited and read again.
    again = run / "filters" / "filters.csv"
    text = again.read_text().replace(",bar,", ",beam,")
    code, out, err = run_cli(
        "filters", run, "--names", names_file(tmp_path, text, "again.csv")
    )
    assert code == 0, err
    assert Run(run).load_model().filter_names[4] == "beam"

    # Predictions name them.
    paths, _ = digit
    code, out, err = run_cli("predict", run, *paths, "--json")
    filters = [f for p in json.loads(out) for f in p["filters"]]
    assert {f.get("name") for f in filters if f["filter"] == 4} <= {"beam"}
    assert all(("name" in f) == (f["filter"] in (4, best)) for f in filters)
    # And so can be asked for.
    code, out, err = run_cli("filters", run, "--filter", "beam", "--json")
    assert [f["filter"] for f in json.loads(out)["filters"]] == [4]
    code, out, err = run_cli("filters", run, "--filter", "beem")
    assert code == 2 and "The nearest names are beam" in one_line(err)


def test_without_a_gate_it_shows_what_there_is(tmp_path, digits, run_cli):
    run = tiny_run_at(
        tmp_path / "run", digits, gated=False, options={"standard": True}
    )
    code, out, err = run_cli("filters", run)
    assert code == 0, err
    assert "has no gate" in err and "shared" not in out
    page = (run / "filters" / "index.html").read_text()
    assert "has no gate" in page and "Shared filters" not in page
    found = json.loads((run / "filters" / "filters.json").read_text())
    assert found["filters"][0]["gate"] is None
    assert not found["figures"]["gated"]


def test_shipped_weights_are_shown_but_not_named(tmp_path, run_cli):
    names = names_file(tmp_path, "filter,name\n1,a\n")
    code, out, err = run_cli("filters", "weights:cifar10", "--names", names)
    assert code == 2
    assert "came with the package" in one_line(err) and "--init" in err


@pytest.mark.parametrize(
    "text, name, words",
    [
        ("filter,name\n20,a\n", "n.csv", "no filter 20: the network has 20"),
        ("filter,name\nx,a\n", "n.csv", "no filter 'x'"),
        ("filter,name\n1,a\n1,b\n", "n.csv", "filter 1 more than once"),
        ("number,words\n1,a\n", "n.csv", "columns filter and name"),
        ("", "n.csv", "Received: nothing"),
        ('filter,name\n1,"a\nb"\n', "n.csv", "one line"),
        ("1: a", "n.json", "is no JSON"),
        ('["a"]', "n.json", "must hold an object"),
        ('{"1": {"a": 2}}', "n.json", "for filter 1"),
        ('{"1": "a", "01": "b"}', "n.json", "filter 1 more than once"),
        ("filter,name\n1,a\n", "n.txt", ".csv or .json"),
    ],
)
def test_broken_names_change_nothing(run, run_cli, tmp_path, text, name, words):
    before = (run / "model.keras").read_bytes()
    path = names_file(tmp_path, text, name)
    code, out, err = run_cli("filters", run, "--names", path)
    assert code == 2 and words in one_line(err)
    assert (run / "model.keras").read_bytes() == before
    assert not (run / "filters").exists()


def test_names_of_other_bytes_or_nowhere(run, run_cli, tmp_path):
    path = tmp_path / "n.csv"
    path.write_bytes(b"filter,name\n1,\xff\n")
    code, _, err = run_cli("filters", run, "--names", path)
    assert code == 2 and "no UTF-8" in one_line(err)
    code, _, err = run_cli("filters", run, "--names", tmp_path / "no.csv")
    assert code == 2 and "No such file" in one_line(err)


def test_semicolons_of_a_spreadsheet_are_read(run, run_cli, tmp_path):
    path = names_file(tmp_path, "\ufefffilter;name\n1;a, b\n")
    code, _, err = run_cli("filters", run, "--names", path)
    assert code == 0, err
    assert Run(run).load_model().filter_names == {1: "a, b"}


@pytest.mark.parametrize(
    "options, words",
    [
        (["--class", "33"], "no class '33'; the nearest are 3"),
        (["--filter", "20"], "no filter 20: the network has 20, 0 to 19"),
        (["--filter", "eye"], "no filter 'eye'"),
        (["--data", "no_such_set"], "no_such_set"),
        (["--data", "shapes"], "other classes"),
    ],
)
def test_mistakes_are_named(run, run_cli, options, words):
    code, out, err = run_cli("filters", run, *options)
    assert code == 2 and words in one_line(err)
    assert not (run / "filters").exists()


def test_an_empty_folder_and_a_file_in_the_way(run, run_cli, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = run_cli("filters", run, "--data", tmp_path / "empty")
    assert code == 2 and "empty" in one_line(err)
    (tmp_path / "out").write_text("mine")
    code, _, err = run_cli("filters", run, "--out", tmp_path / "out")
    assert code == 2 and "must be a folder" in one_line(err)
    assert (tmp_path / "out").read_text() == "mine"
    code, _, err = run_cli("filters", run, "--out", tmp_path / "out" / "in")
    assert code == 2 and "Cannot write to" in one_line(err)
    code, _, err = run_cli("filters", tmp_path / "nothing")
    assert code == 2 and "nothing" in one_line(err)


@pytest.fixture
def folder(tmp_path):
    """Some of the digits as a folder of images."""
    data = load_data("digits", image_size=8)
    for split in ("train", "test"):
        images, labels = getattr(data, split).images_and_labels(60)
        for number, (image, label) in enumerate(
            zip(images, labels, strict=True)
        ):
            path = tmp_path / "photos" / split / str(label) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    return tmp_path / "photos"


def test_other_data_and_a_broken_image(run, run_cli, folder, tmp_path):
    broken = sorted((folder / "test" / "0").iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:60])
    out = tmp_path / "pages"
    code, text, err = run_cli(
        "filters", run, "--data", folder, "--out", out, "--json"
    )
    assert code == 0, err
    assert "broken" in err
    assert json.loads(text)["figures"]["samples"] == 59
    assert (out / "index.html").exists() and not (run / "filters").exists()


def test_pages_ask_for_nothing(run, run_cli):
    run_cli("filters", run)
    for path in (run / "filters").glob("*.html"):
        text = path.read_text()
        assert "<script" not in text and "://" not in text
        links = re.findall(r'(?:href|src)="([^"]*)"', text)
        assert len(links) > 3
        for link in links:
            file = link.partition("#")[0]
            if not link.startswith("data:image/jpeg;base64,"):
                assert not file or (run / "filters" / file).exists()
        for image in re.findall(r"<img [^>]*>", text):
            assert 'alt="' in image
