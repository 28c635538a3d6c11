"""What may be a class or not, and tables and boxes as people write them."""

import json
import os

import pytest

import keras_csg
from keras_csg.data.sources.folder_boxes import read_boxes
from keras_csg.data.sources.folder_layout import read_layout
from tests.data.sources.test_folder_faults import load, two_classes, write


@pytest.mark.parametrize("name", ["test", "Valid", "unlabelled", "masks"])
def test_a_folder_that_may_be_no_class_is_refused(tmp_path, name):
    two_classes(tmp_path)
    write(tmp_path / name, range(6))  # As the first images of ant.
    with pytest.raises(ValueError, match=f"{name} may be no class by its na"):
        read_layout(tmp_path)
    assert name in read_layout(tmp_path, "none").class_names
    data, _ = load(tmp_path, classes="ant,bee")
    assert data.class_names == ["ant", "bee"]


def test_masks_and_trains_may_be_classes(tmp_path):
    two_classes(tmp_path)
    write(tmp_path / "masks", range(500, 506))
    write(tmp_path / "train", range(600, 606))
    names = ["ant", "bee", "masks", "train"]
    assert read_layout(tmp_path).class_names == names


def test_classes_one_folder_further_down_are_hinted_at(tmp_path):
    two_classes(tmp_path / "images")
    with pytest.raises(ValueError, match=r"; is .*images meant\?"):
        read_layout(tmp_path)


def test_a_pipe_is_no_link(tmp_path):
    two_classes(tmp_path)
    os.mkfifo(tmp_path / "ant" / "pipe.png")
    _, said = load(tmp_path)
    assert "1 pipes or devices: ant/pipe.png" in said


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("t.json", '[{"file": "a", "label": "b"}]', "must be a CSV file, or"),
        ("t.csv", "", "must be a CSV file, or JSON Lines"),
        ("t.csv", "ant/000.png,ant\n", "line 1, must name columns for a file "),
        ("t.jsonl", '{"file": "a", "label": ["b"]}', "one text as its label"),
        ("none.csv", None, r"none.csv: No such file"),
    ],
)
def test_what_is_no_table_of_labels_is_called_that(tmp_path, name, text, words):
    two_classes(tmp_path)
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words):
        load(tmp_path, labels=tmp_path / name)


def test_a_row_without_a_label_is_a_row(tmp_path):
    two_classes(tmp_path, 6)
    rows = [
        f"{f}/{p.name},{f if p.stem != '003' else ''}"
        for f in ("ant", "bee")
        for p in sorted((tmp_path / f).iterdir())
    ]
    (tmp_path / "t.csv").write_text("\n".join(["file,label", *rows]))
    _, said = load(tmp_path, labels="t.csv")
    assert "1 images without a label" in said and "no row" not in said


def test_boxes_between_semicolons(tmp_path):
    head = "file;box_x0;box_y0;box_x1;box_y1\n"
    (tmp_path / "boxes.csv").write_text(head + "a.png;1;2;3;4\n")
    (box,) = read_boxes(tmp_path, ["a.png"], "object")
    assert box.corners == (1, 2, 3, 4)


def test_a_coco_file_in_each_split(tmp_path):
    for split in ("train", "test"):
        table = {
            "images": [{"id": 1, "file_name": f"ant/{split}.png"}],
            "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}],
        }
        path = tmp_path / split / "_annotations.coco.json"
        path.parent.mkdir()
        path.write_text(json.dumps(table))
    boxes = read_boxes(tmp_path, [], "object")
    assert [box.image for box in boxes] == [
        "test/ant/test.png",
        "train/ant/train.png",
    ]
    assert boxes[0].corners == (1, 2, 4, 6)


def test_a_class_of_copies_alone_is_told_of(tmp_path):
    two_classes(tmp_path / "train", 6)
    two_classes(tmp_path / "test", 6)
    with pytest.raises(ValueError, match="and dropped copies are none"):
        load(tmp_path, drop_duplicates=True)


def test_no_images_in_a_folder_to_predict(tmp_path):
    with pytest.raises(keras_csg.InputError, match="There are no images in"):
        keras_csg.predict("weights:cifar10", [tmp_path])
