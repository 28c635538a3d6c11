"""What people's folders have, and what they are told of it."""

import json
import os

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.data.sources.folder_boxes import read_boxes
from keras_csg.data.sources.folder_layout import read_layout
from keras_csg.data.splits.hashed import TEST, TRAIN, assign_splits


def write(folder, numbers):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        pixels = np.full((8, 8, 3), number % 256, "uint8")
        pixels[0, 0] = number // 256
        Image.fromarray(pixels).save(folder / f"{number:03}.png")


def load(folder, **options):
    lines = []
    data = keras_csg.load_data(folder, log=lines.append, **options)
    return data, "\n".join(lines)


def two_classes(folder, count=12):
    write(folder / "ant", range(count))
    write(folder / "bee", range(100, 100 + count))
    return folder


def test_a_name_that_is_not_utf8_is_refused_before_all_is_read(tmp_path):
    two_classes(tmp_path)
    write(tmp_path / os.fsdecode(b"z\xe9bre"), range(200, 206))
    with pytest.raises(ValueError, match="must be UTF-8: rename the folder"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["", None, 5])
@pytest.mark.parametrize("argument", ["name", "labels", "data_dir"])
def test_no_path_is_no_path(argument, name):
    if name is None and argument != "name":
        return
    given = {"name": "digits"} | {argument: name}
    with pytest.raises(ValueError, match=f"`{argument}` must be a name or"):
        keras_csg.load_data(**given)


def test_what_the_splits_leave_is_told_of(tmp_path):
    for name, first in (("batch1", 0), ("batch2", 50), ("batch3", 90)):
        write(tmp_path / name / "ant", range(first, first + 12))
        write(tmp_path / name / "bee", range(first + 400, first + 412))
    _, said = load(tmp_path, splits="train=batch1,test=batch2")
    assert "with classes is called so: batch3 (24 files)" in said
    with pytest.raises(
        ValueError, match="`splits` must be a folder of its own"
    ):
        load(tmp_path, splits="train=batch1,test=batch1")
    # A test split is held out where there is none.
    data, _ = load(tmp_path, splits="train=batch1,validation=batch2")
    assert data.validation.num_examples == 24
    assert data.train.num_examples + data.test.num_examples == 24
    assert data.test.num_examples


@pytest.mark.parametrize(
    "folders, hint",
    [
        (("tr", "te"), "train=tr,test=te"),
        (
            ("train", "val", "valid", "test"),
            "train=train,validation=val,test=test",
        ),
        (("holdout", "rest"), "train=rest,test=holdout"),
    ],
)
def test_the_way_out_goes_by_what_names_mean(tmp_path, folders, hint):
    for name in folders:
        two_classes(tmp_path / name, 2)
    with pytest.raises(ValueError, match=f"such as '{hint}'"):
        read_layout(tmp_path)


def test_a_split_may_lie_beside_the_classes(tmp_path):
    two_classes(tmp_path)
    two_classes(tmp_path / "test", 3)
    with pytest.raises(ValueError, match=r"such as 'train=\.,test=test'"):
        read_layout(tmp_path)
    layout = read_layout(tmp_path, "train=.,test=test")
    assert layout.class_names == ["ant", "bee"]
    found = {split: len(f.paths) for split, f in layout.splits.items()}
    assert found == {"train": 24, "test": 6}


def test_classes_that_are_not_taken_may_be_empty(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "notes").mkdir()
    with pytest.raises(ValueError, match="but for those that `classes` leaves"):
        load(tmp_path)
    data, _ = load(tmp_path, classes="bee,ant")
    assert data.class_names == ["bee", "ant"]


def test_broken_files_have_reasons_and_can_be_looked_at(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "ant" / "000.png").write_bytes(b"")
    (tmp_path / "ant" / "001.png").write_text("no image")
    with pytest.raises(
        ValueError, match=r"000.png \(empty\), .*001.png \(cannot identify"
    ):
        load(tmp_path)
    report = keras_csg.describe_data(tmp_path, log=None)
    assert len(report.broken) == 2 and sum(report.counts["train"]) > 10


def test_groups_stay_whole_by_equal_files(tmp_path):
    """Each group ends with the frame that the next begins with."""
    rows = []
    for group in range(10):
        for frame in range(6):
            name = f"p{group}-{frame}.png"
            pixels = np.full((8, 8, 3), 5 * group + min(frame, 5), "uint8")
            pixels[0, 0] = frame % 5 == 0
            Image.fromarray(pixels).save(tmp_path / name)
            rows.append(f"{name},{'ab'[frame % 2]},p{group}")
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["file,label,group", *rows]))
    write(tmp_path / "more", range(100, 130))
    with table.open("a") as stream:
        for number in range(100, 130):
            stream.write(f"\nmore/{number}.png,{'ab'[number % 2]},q{number}")
    data, _ = load(tmp_path, labels="labels.csv")
    groups = [
        {name.partition("-")[0] for name in data.listing.images[split]}
        for split in ("train", "validation", "test")
    ]
    linked = {f"p{group}" for group in range(10)}
    assert sum(bool(linked & found) for found in groups) == 1


@pytest.mark.parametrize("seed", range(8))
def test_groups_that_span_classes_leave_each_class_images(seed):
    keys = [f"g{number // 4}" for number in range(16)]
    labels = np.array([1, 1, 2, 2, 2, 0, 0, 0, 1, 0, 0, 0, 2, 2, 1, 1])
    splits = assign_splits(keys, labels, 0.1, seed, with_test=True)
    assert set(labels[splits == TRAIN]) == {0, 1, 2}
    assert (splits == TEST).any()


def test_a_second_group_is_refused(tmp_path):
    two_classes(tmp_path)
    rows = ["ant/000.png,a,one", "bee/100.png,b,two", "ant/000.png,a,two"]
    (tmp_path / "t.csv").write_text("\n".join(["file,label,group", *rows]))
    with pytest.raises(ValueError, match="line 4 gives .* a second group"):
        load(tmp_path, labels="t.csv")


def test_a_table_of_other_names_says_so(tmp_path):
    two_classes(tmp_path)
    rows = [f"{number:03}.png,a" for number in range(12)]
    (tmp_path / "t.csv").write_text("\n".join(["file,label", *rows]))
    with pytest.raises(ValueError, match="as they are called from .*: 12 rows"):
        load(tmp_path, labels="t.csv")
    with pytest.raises(ValueError, match="the table's column `split` says"):
        load(tmp_path, labels="t.csv", splits="train=ant")


@pytest.mark.parametrize(
    "entry, said",
    [
        ({"image_id": 1, "bbox": [1, 2, 3]}, "annotation 0 must have a bbox"),
        ({"image_id": 9, "bbox": [1, 2, 3, 4]}, "not in the file: image_id 9"),
        ({"bbox": [1, 2, 3, 4]}, "annotation 0 has no image_id"),
        ([1], "annotation 0 has no image_id"),
    ],
)
def test_broken_coco_entries_are_named(tmp_path, entry, said):
    table = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [entry],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match=said):
        read_boxes(tmp_path, ["a.png"], "object")


def test_coco_entries_without_a_box_are_passed_over(tmp_path):
    entries = [{"image_id": 1}, {"image_id": 1, "bbox": [1, 2, 3, 4]}]
    table = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": entries,
    }
    (tmp_path / "annotations.json").write_text(json.dumps(table))
    (box,) = read_boxes(tmp_path, ["a.png"], "object")
    assert box.corners == (1, 2, 4, 6)


def test_yolo_boxes_of_no_image_are_found(tmp_path):
    (tmp_path / "labels" / "a").mkdir(parents=True)
    for name in ("a/0", "a/1"):
        (tmp_path / "labels" / f"{name}.txt").write_text("0 .5 .5 .2 .2")
    found = read_boxes(tmp_path, ["a/0.jpg"], "object")
    assert [box.image for box in found] == ["a/0.jpg", "a/1.txt"]
    (tmp_path / "labels" / "a" / "0.txt").write_text("0 .5 .5 -.2 .2")
    with pytest.raises(ValueError, match="line 1 has a box of negative size"):
        read_boxes(tmp_path, ["a/0.jpg"], "object")


@pytest.mark.parametrize("rest", ["9,9,,9", ",9,9,9", ",,9,9"])
def test_half_a_box_is_refused(tmp_path, rest):
    head = "file,box_x0,box_y0,box_x1,box_y1"
    (tmp_path / "boxes.csv").write_text(f"{head}\na.png,{rest}\nb.png,,,,\n")
    with pytest.raises(ValueError, match="line 2 has a broken box"):
        read_boxes(tmp_path, ["a.png"], "object")


def test_coco_images_need_a_name(tmp_path):
    table = {"images": [{"id": 1}], "annotations": []}
    (tmp_path / "annotations.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match="image 0 must have an id and a file_"):
        read_boxes(tmp_path, ["a.png"], "object")


def test_a_quote_that_is_not_closed_is_named(tmp_path):
    head = "file,box_x0,box_y0,box_x1,box_y1"
    rows = ['"a.png,1,1,2,2', *["b.png,1,1,2,2"] * 9]
    (tmp_path / "boxes.csv").write_text("\n".join([head, *rows]))
    with pytest.raises(ValueError, match="boxes.csv, line 2: .*not closed"):
        read_boxes(tmp_path, ["a.png"], "object")
    two_classes(tmp_path)
    rows = ['"ant/000.png,a', "bee/100.png,b"]
    (tmp_path / "t.csv").write_text("\n".join(["file,label", *rows]))
    with pytest.raises(ValueError, match="t.csv, line 2: .*not closed"):
        load(tmp_path, labels="t.csv")


def test_a_split_beside_classes_that_is_not_asked_for_is_no_class(tmp_path):
    two_classes(tmp_path)
    two_classes(tmp_path / "test", 3)
    two_classes(tmp_path / "val", 2)
    hint = "train=.,validation=val,test=test"
    with pytest.raises(ValueError, match=f"such as '{hint}'"):
        read_layout(tmp_path)
    layout = read_layout(tmp_path, "train=.,test=test")
    assert layout.class_names == ["ant", "bee"]
    assert "val (4 files)" in layout.notes[0]


def test_splits_elsewhere_and_under_two_names(tmp_path):
    two_classes(tmp_path / "photos" / "a")
    two_classes(tmp_path / "others", 3)
    splits = f"train=a,test={tmp_path / 'others'}"
    data, _ = load(tmp_path / "photos", splits=splits)
    assert data.test.num_examples == 6
    with pytest.raises(ValueError, match="must be a folder of its own"):
        load(tmp_path / "photos", splits="train=a,test=a/../a")


def test_a_report_has_the_reasons(tmp_path):
    two_classes(tmp_path)
    for path in (tmp_path / "ant").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"Broken: .*ant/000.png \(empty\), "):
        keras_csg.describe_data(tmp_path, log=None)
    write(tmp_path / "ant", range(8))
    report = keras_csg.describe_data(tmp_path, log=None)
    assert len(report.broken) == 4
    assert all(line.endswith(" (empty)") for line in report.broken)


def test_what_programs_leave_beside_yolo_texts_is_not_read(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "._a.txt").write_bytes(b"\0\5")
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .2 .2")
    assert len(read_boxes(tmp_path, ["a.png"], "object")) == 1


def test_one_folder_more_does_not_make_splits_classes(tmp_path):
    for name in ("batch1", "batch2"):
        two_classes(tmp_path / name, 2)
    (tmp_path / "notes" / "x").mkdir(parents=True)
    write(tmp_path / "batch1", [7])
    with pytest.raises(ValueError, match="such as 'train=batch1,test=batch2'"):
        read_layout(tmp_path)
    write(tmp_path / "batch2", [8])  # Each has images of its own: classes.
    assert "batch1" in read_layout(tmp_path, some=True).class_names
