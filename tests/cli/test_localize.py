import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from keras_csg.data import load_annotated, load_data
from keras_csg.training import Run
from tests.tiny_run import make_tiny_run as tiny_run_at

SIZE = 12


@pytest.fixture(scope="module")
def shapes_run(tmp_path_factory):
    """A run directory of a tiny network that saw each shape once."""
    path = tmp_path_factory.mktemp("runs") / "shapes"
    return tiny_run_at(path, load_data("shapes", image_size=SIZE), epochs=1)


@pytest.fixture
def shapes_folder(tmp_path):
    """Two shapes of each class as a folder, with the boxes of some."""
    data = load_data("shapes", image_size=SIZE)
    images, labels = data.test.images_and_labels()
    lines = ["file,box_x0,box_y0,box_x1,box_y1"]
    for label, name in enumerate(data.class_names):
        own = np.flatnonzero(labels == label)[:12]
        for number, image in enumerate(images[own]):
            split = "test" if number < 2 else "train"
            path = tmp_path / split / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
        lines.append(f"test/{name}/0.png,3,3,9,9")
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_table_a_file_and_a_picture(shapes_run, run_cli):
    code, out, err = run_cli("localize", shapes_run, "--limit", "20")
    assert code == 0, err
    for word in ("gated cam", "gradient map", "whole image", "AP20", "IoU"):
        assert word in out
    results = json.loads((shapes_run / "localization.json").read_text())
    assert results["images"] == 20 and results["part"] == "object"
    for gate in ("gated_", ""):
        for name in ("cam", "gradient_map", "activation_map"):
            for figure in ("iou", "ap20", "ap30", "pointing_game"):
                assert 0 <= results[f"{gate}{name}_{figure}"] <= 1
    masks = load_annotated(load_data("shapes", image_size=SIZE)).masks
    assert results["whole_image_iou"] == pytest.approx(masks.mean(), abs=0.05)
    assert "grid_pointing_game" not in results
    with Image.open(shapes_run / "localization.png") as picture:
        assert picture.size[0] > 400


def test_json_is_what_is_written(shapes_run, shapes_folder, run_cli):
    code, out, err = run_cli(
        "localize", shapes_run, "--json", "--data", shapes_folder
    )
    assert code == 0, err
    results = json.loads(out)
    assert results["images"] == 10
    assert results["whole_image_iou"] == pytest.approx(36 / 144)
    written = (shapes_run / "localization.json").read_text()
    assert json.loads(written) == results


def test_coarse_maps_are_told_of(shapes_run, run_cli, monkeypatch):
    _, _, err = run_cli("localize", shapes_run, "--limit", "4")
    assert "too coarse" not in err
    module = sys.modules["keras_csg.commands.localize"]
    monkeypatch.setattr(module, "COARSE", 1000)
    _, _, err = run_cli("localize", shapes_run, "--limit", "4")
    rows, columns = Run(shapes_run).load_model().backbone.output_shape[1:3]
    assert f"The maps are {rows}x{columns}: too coarse" in err


def test_the_sanity_check_prints_depths(shapes_run, run_cli):
    before = (shapes_run / "model.keras").read_bytes()
    code, out, err = run_cli("localize", shapes_run, "--sanity", "--limit", "4")
    assert code == 0, err
    assert "random layers" in out and "head" in out
    results = json.loads((shapes_run / "sanity.json").read_text())
    assert results["images"] == 4
    assert results["depths"][0]["cam"]["ssim"] == pytest.approx(1)
    assert (shapes_run / "model.keras").read_bytes() == before


@pytest.mark.parametrize("options", [[], ["--sanity"]])
def test_a_part_that_nothing_annotates_is_refused(options, tiny_run, run_cli):
    code, out, err = run_cli("localize", tiny_run, "--part", "x", *options)
    assert (code, out) == (2, "")
    (line,) = [x for x in err.splitlines() if x.startswith("Error")]
    assert "where nothing says where the objects are" in line


def test_without_annotations_the_grid_game_is_played(tiny_run, run_cli):
    code, out, err = run_cli("localize", tiny_run, "--json", "--mosaics", "4")
    assert code == 0, err
    results = json.loads(out)
    assert results["part"] is None and "cam_iou" not in results
    assert "grid_pointing_game" in results or "2x2" in err


def test_without_a_game_either_no_empty_table_is_printed(
    make_tiny_run, run_cli, tmp_path
):
    """A network that was not trained is sure of nothing."""
    run = make_tiny_run(tmp_path / "run")
    code, out, err = run_cli("localize", run, "--limit", "20")
    assert code == 0, err
    assert out == "" and "No grid pointing game of 2x2" in err


@pytest.mark.parametrize(
    "options, word",
    [
        (["--part", "head"], "part='head'"),
        (["--masks", "nowhere"], "nowhere"),
        (["--data", "digits"], "run's classes"),
        (["--data", "no_such_set"], "no_such_set"),
    ],
)
def test_mistakes_are_named(shapes_run, run_cli, options, word):
    code, out, err = run_cli("localize", shapes_run, *options)
    assert code == 2
    assert len(err.splitlines()) == 1 and word in err


def test_a_run_whose_data_have_other_classes_now_is_refused(
    shapes_run, tmp_path, run_cli
):
    run = Run(tmp_path / "run")
    # As many classes as there are shapes, so nothing else can notice.
    run.create(Run(shapes_run).options.replace(data="digits"))
    shutil.copy(shapes_run / "model.keras", run.model_path)
    code, out, err = run_cli("localize", run.path, "--limit", "4")
    assert code == 2
    assert out == "" and len(err.splitlines()) == 1
    assert "was trained on other classes than digits has now" in err
    assert err.endswith("; class 0 was 'bar' and is '0'.\n")


def test_a_run_must_be_there(run_cli, tmp_path):
    code, out, err = run_cli("localize", tmp_path / "nothing")
    assert code == 2
    assert len(err.splitlines()) == 1 and "nothing" in err
