"""What a data set holds: in a call, and by the command."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_csg


def write(folder, numbers, size=(8, 12)):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        rng = np.random.default_rng(number)
        rough = rng.integers(0, 255, (4, 4, 3), "uint8")
        image = Image.fromarray(rough).resize(size[::-1])
        image.save(folder / f"{number:03}.png")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for split, first, count in (("train", 0, 12), ("val", 40, 3)):
        write(folder / split / "ant", range(first, first + count))
        write(folder / split / "bee", range(first + 100, first + 102))
    write(folder / "test" / "ant", range(50, 54))
    write(folder / "test" / "bee", range(150, 153), size=(20, 10))
    shutil.copy(folder / "test/ant/050.png", folder / "train/ant/copy.png")
    shutil.copy(folder / "train/ant/000.png", folder / "train/bee/other.png")
    near = Image.open(folder / "test/bee/150.png").convert("RGB")
    near.point(lambda v: v * 0.97).save(folder / "val/bee/near.png")
    (folder / "train/ant/notes.txt").touch()
    return folder


def test_a_report_is_what_was_written(photos, tmp_path):
    lines = []
    report = keras_csg.describe_data(
        photos, picture=tmp_path / "a.png", log=lines.append
    )
    assert report.class_names == ["ant", "bee"]
    assert report.counts == {
        "train": [13, 3],
        "validation": [3, 3],
        "test": [4, 3],
    }
    assert report.sizes == {"8 x 12": 25, "20 x 10": 4}
    assert report.aspects == (0.5, 1.5)
    assert report.passed_over == {
        "no images by their suffix": {
            "count": 1,
            "examples": ["train/ant/notes.txt"],
        }
    }
    groups = sorted(map(sorted, report.copies.groups))
    assert groups == [
        ["test/ant/050.png", "train/ant/copy.png"],
        ["train/ant/000.png", "train/bee/other.png"],
    ]
    assert (report.copies.across, report.copies.classes) == (1, 1)
    assert report.near.groups == [["val/bee/near.png", "test/bee/150.png"]]
    assert report.near.across == 1
    assert any(
        line.startswith("Classes have 3 (bee) to 13") for line in report.notes
    )
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size[0] > 100
    json.dumps(report.to_dict(), allow_nan=False)


def test_what_is_no_folder_has_a_report_too():
    report = keras_csg.describe_data(
        "digits", image_size=8, near=False, log=None
    )
    assert sum(report.counts["test"]) == 360
    assert (report.sizes, report.aspects, report.copies) == ({}, None, None)


def test_the_command_prints_it(photos, capfd):
    from keras_csg_cli.main import main

    with pytest.raises(SystemExit) as exit_:
        main(["data", str(photos)])
    assert exit_.value.code == 0
    out = capfd.readouterr().out
    for text in (
        "ant",
        "Images are loaded at 224x224.",
        "Files: 2 sizes, 25 of 8 x 12; width over height 0.50 to 1.50.",
        "1 images are in more than one split",
        "2 groups of equal files, 4 images; 1 across splits, 1 across classes",
        "1 groups of nearly equal pictures, 2 images; 1 across splits",
        "Not read: 1 no images by their suffix: train/ant/notes.txt",
    ):
        assert text in out, text


def test_as_json_there_is_all_of_it(photos, capfd):
    from keras_csg_cli.main import main

    with pytest.raises(SystemExit):
        main(["data", str(photos), "--json", "--no-near"])
    report = json.loads(capfd.readouterr().out)
    assert report["counts"]["train"] == [13, 3]
    assert report["near"] is None


def test_what_is_not_there_is_said(tmp_path, capfd):
    from keras_csg_cli.main import main

    with pytest.raises(SystemExit) as exit_:
        main(["data", str(tmp_path / "none")])
    assert exit_.value.code == 2
    assert "must be an existing folder" in capfd.readouterr().err
    with pytest.raises(keras_csg.InputError, match="`near` must be True or"):
        keras_csg.describe_data("digits", near="yes")


def test_a_folder_without_copies_has_a_report_without_near_pictures(tmp_path):
    for name, first in (("ant", 0), ("bee", 50)):
        write(tmp_path / name, range(first, first + 12))
    report = keras_csg.describe_data(tmp_path, near=False, log=None)
    assert report.copies.groups == [] and report.copies.across == 0


def test_a_limit_of_pixels_is_named_where_it_leaves_nothing(tmp_path):
    for name, first in (("ant", 0), ("bee", 50)):
        write(tmp_path / name, range(first, first + 12))
    with pytest.raises(ValueError, match="more than `max_pixels`, 50, count"):
        keras_csg.describe_data(tmp_path, max_pixels=50, log=None)


def test_the_report_says_what_is_white(tmp_path):
    for name, value in (("dark", 100), ("light", 900)):
        (tmp_path / name).mkdir()
        for number in range(9):
            pixels = np.full((8, 8), value + number, "uint16")
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    report = keras_csg.describe_data(tmp_path, log=None)
    assert any("1,023 is taken for white" in line for line in report.notes)


@pytest.mark.parametrize(
    "picture, said",
    [
        ("x.txt", "must be the path of a .png file"),
        ("a.csv/x.png", "Cannot write"),
    ],
)
def test_a_picture_is_refused_before_all_is_read(tmp_path, picture, said):
    (tmp_path / "a.csv").touch()
    with pytest.raises(keras_csg.InputError, match=said):
        keras_csg.describe_data(
            "digits", picture=tmp_path / picture, log=pytest.fail
        )
