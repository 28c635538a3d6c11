import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from keras_csg.data import load_annotated, load_annotated_images, load_data

HEAD = "file,box_x0,box_y0,box_x1,box_y1,head_x0,head_y0,head_x1,head_y1"


@pytest.fixture
def folder(write_images):
    for split, count in [("train", 20), ("val", 4)]:
        write_images(f"{split}/cat", count)
        root = write_images(f"{split}/dog", count, first=100)
    return root


def write_boxes(folder, *lines):
    (folder / "boxes.csv").write_text("\n".join([HEAD, *lines]) + "\n")


def test_boxes_of_the_object_and_of_a_part(folder):
    write_boxes(
        folder,
        "val/cat/001.png,2,4,10,12,2,4,4,6",
        "val/dog/101.png,0,0,16,16,,,,",
        "train/cat/000.png,0,0,16,16,1,1,2,2",
        "val/cat/missing.png,0,0,16,16,1,1,2,2",
    )
    data = load_data(folder, image_size=8)
    images, labels, masks = load_annotated(data)
    assert_array_equal(images[:, 0, 0, 0], [1, 101])
    assert_array_equal(labels, [0, 1])
    expected = np.zeros((8, 8), bool)
    expected[2:6, 1:5] = True
    assert_array_equal(masks[0], expected)
    assert masks[1].all()
    images, labels, masks = load_annotated(data, part="head")
    assert_array_equal(images[:, 0, 0, 0], [1])
    assert np.argwhere(masks[0]).tolist() == [[2, 1]]


def test_several_boxes_of_an_image_count_together(folder):
    write_boxes(
        folder,
        "val/cat/001.png,0,0,4,4,,,,",
        "val/cat/001.png,8,8,16,16,,,,",
        "val/dog/101.png,0,0,16,16,,,,",
    )
    masks = load_annotated(load_data(folder, image_size=8)).masks
    expected = np.zeros((8, 8), bool)
    expected[:2, :2] = expected[4:, 4:] = True
    assert_array_equal(masks[0], expected)
    assert masks[1].all()


def test_boxes_may_be_shares_of_the_sides(folder):
    write_boxes(folder, "val/cat/001.png,0.25,0,0.5,1,,,,")
    lines = []
    data = load_data(folder, image_size=8, log=lines.append)
    (mask,) = load_annotated(data).masks
    assert np.argwhere(mask).tolist() == [
        [y, x] for y in range(8) for x in (2, 3)
    ]
    assert any("are taken for shares" in line for line in lines)


@pytest.mark.parametrize(
    "name", [r"val\cat\001.png", "./val/cat/001.png", "{}/val/cat/001.png"]
)
def test_paths_as_people_write_them(folder, name):
    write_boxes(folder, f"{name.format(folder)},2,4,10,12,,,,")
    found = load_annotated(load_data(folder, image_size=8))
    assert_array_equal(found.images[:, 0, 0, 0], [1])


def test_rows_that_match_no_image_are_counted(folder):
    write_boxes(
        folder,
        "val/cat/001.png,2,4,10,12,,,,",
        "train/cat/000.png,2,4,10,12,,,,",
        "cat/001.png,2,4,10,12,,,,",
    )
    lines = []
    load_annotated(load_data(folder, log=lines.append))
    line = next(line for line in lines if "boxes are of no image" in line)
    assert line.startswith("1 of 3 boxes")
    assert line.endswith(f"'cat/001.png' ({folder / 'boxes.csv'}, line 4).")


def test_a_spreadsheets_mark_is_no_part_of_the_first_name(folder):
    text = f"{HEAD}\nval/cat/001.png,2,4,10,12,,,,\n"
    (folder / "boxes.csv").write_bytes(text.encode("utf-8-sig"))
    assert len(load_annotated(load_data(folder)).labels) == 1


def test_another_encoding_is_said_with_the_file(folder):
    text = f"{HEAD}\nval/cat/caf\xe9.png,2,4,10,12,,,,\n"
    (folder / "boxes.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"Cannot read .*boxes.csv as UTF-8"):
        load_annotated(load_data(folder))


def test_a_broken_box_is_said_with_the_line(folder):
    write_boxes(
        folder, "val/cat/001.png,2,4,9,9,,,,", "val/cat/002.png,9,4,2,9,,,,"
    )
    with pytest.raises(
        ValueError, match=r"boxes.csv, line 3 has a broken box: 9"
    ):
        load_annotated(load_data(folder))


def test_coco_boxes(folder):
    table = {
        "images": [{"id": 7, "file_name": "val/cat/001.png"}],
        "annotations": [
            {"image_id": 7, "bbox": [0, 0, 4, 4]},
            {"image_id": 7, "bbox": [8, 8, 8, 8]},
        ],
    }
    path = folder / "_annotations.coco.json"
    path.write_text(json.dumps(table))
    (mask,) = load_annotated(load_data(folder, image_size=8)).masks
    expected = np.zeros((8, 8), bool)
    expected[:2, :2] = expected[4:, 4:] = True
    assert_array_equal(mask, expected)
    path.write_text('{"images": []}')
    with pytest.raises(ValueError, match="is no COCO file of boxes: KeyErr"):
        load_annotated(load_data(folder))


def test_yolo_boxes(folder):
    path = folder / "labels" / "val" / "dog" / "101.txt"
    path.parent.mkdir(parents=True)
    path.write_text("0 0.25 0.5 0.5 1\n\n0 0.875 0.5 0.25 1\n")
    data = load_data(folder, image_size=8)
    assert data.class_names == ["cat", "dog"]
    (mask,) = load_annotated(data).masks
    assert np.flatnonzero(mask.all(axis=0)).tolist() == [0, 1, 2, 3, 6, 7]
    for text, message in (
        ("0 0.25 0.5\n", "101.txt, line 1 must be a class and .*: 2 numbers"),
        ("0 a b c d\n", "101.txt, line 1 has a broken box"),
        ("0 3 2 4 5\n", "101.txt, line 1 must have shares .*: 3 2 4 5"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            load_annotated(data)


def test_yolo_boxes_are_shares_however_they_are_rounded(folder):
    path = folder / "labels" / "val" / "dog" / "101.txt"
    path.parent.mkdir(parents=True)
    path.write_text("0 0.750001 0.5 0.500002 1\n")
    (mask,) = load_annotated(load_data(folder, image_size=8)).masks
    assert np.flatnonzero(mask.all(axis=0)).tolist() == [4, 5, 6, 7]


def test_yolo_polygons_have_an_extent(folder):
    path = folder / "labels" / "val" / "dog" / "101.txt"
    path.parent.mkdir(parents=True)
    path.write_text("0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n")
    (mask,) = load_annotated(load_data(folder, image_size=8)).masks
    assert mask.sum() == 16 and mask[2:6, 2:6].all()


def test_dark_colours_are_no_background(folder):
    pixels = np.zeros((16, 16, 3), "uint8")
    pixels[8:, 8:, 2] = 3
    path = folder / "masks" / "val" / "dog" / "101.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(pixels).save(path)
    (mask,) = load_annotated(load_data(folder, image_size=8)).masks
    assert mask.sum() == 16 and mask[4:, 4:].all()


def test_a_dark_palette_mask(folder):
    mask = Image.fromarray(np.pad(np.ones((8, 8), "uint8"), ((8, 0), (8, 0))))
    mask.putpalette([0, 0, 0, 0, 0, 1])  # Blue as the night: L is 0.
    path = folder / "masks" / "val" / "dog" / "102.png"
    path.parent.mkdir(parents=True)
    mask.save(path)
    (found,) = load_annotated(load_data(folder, image_size=8)).masks
    assert np.argwhere(found).min(axis=0).tolist() == [4, 4]
    Image.new("L", (16, 16)).save(path)
    with pytest.raises(ValueError, match="1 images whose masks are empty"):
        load_annotated(load_data(folder))


def test_a_limit_is_spread_over_the_split(folder):
    write_boxes(
        folder,
        *(f"val/cat/00{n}.png,0,0,9,9,,,," for n in range(4)),
        *(f"val/dog/10{n}.png,0,0,9,9,,,," for n in range(4)),
    )
    found = load_annotated(load_data(folder), limit=4)
    assert_array_equal(found.images[:, 0, 0, 0], [1, 3, 101, 103])


def test_masks_in_files(folder):
    mask = np.zeros((16, 16), "uint8")
    mask[:8, 4:] = 1
    path = folder / "masks" / "val" / "dog" / "102.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(mask).save(path)
    data = load_data(folder, image_size=8, cache=False)
    images, labels, masks = load_annotated(data)
    assert_array_equal(images[:, 0, 0, 0], [102])
    assert_array_equal(np.argwhere(masks[0]).min(axis=0), [0, 2])
    assert masks[0].sum() == 4 * 6
    other = folder.parent / "elsewhere"
    (folder / "masks").rename(other)
    assert load_annotated(data).masks is None
    assert_array_equal(load_annotated(data, masks=other).masks, masks)
    path = other / "val" / "dog" / "102.png"
    path.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="Cannot read the mask.*102.png"):
        load_annotated(data, masks=other)


def test_a_folder_of_a_networks_classes_in_its_size(folder):
    write_boxes(folder, "val/cat/001.png,2,4,10,12,,,,")
    found = load_annotated_images(folder, ["cat", "dog"], (8, 8))
    assert found.images.shape == (1, 8, 8, 3)
    assert np.argwhere(found.masks[0]).tolist() == [
        [y, x] for y in range(2, 6) for x in range(1, 5)
    ]
    with pytest.raises(ValueError, match=r"run's classes \(dog, cat\)"):
        load_annotated_images(folder, ["dog", "cat"], (8, 8))


def test_without_annotations_there_are_images(folder):
    images, labels, masks = load_annotated(load_data(folder), limit=4)
    assert masks is None and len(images) == len(labels) == 4
    assert load_annotated(load_data("digits"), limit=4).masks is None


@pytest.mark.parametrize(
    "lines, part, message",
    [
        (["val/cat/001.png,0,0,9,9,,,,"], "tail", "part='tail'. Received"),
        (["val/cat/001.png,0,0,9,9,,,,"], "head", "none for part='head'"),
        (["train/cat/001.png,0,0,9,9,,,,"], "object", "of the test split"),
        (["val/cat/001.png,0,zero,9,9,,,,"], "object", "a broken box"),
        (["val/cat/001.png,0"], "object", "a broken box"),
    ],
)
def test_what_cannot_be_used_is_named(folder, lines, part, message):
    write_boxes(folder, *lines)
    with pytest.raises(ValueError, match=message):
        load_annotated(load_data(folder), part=part)


def test_a_folder_of_masks_must_be_there_and_has_no_parts(folder):
    data = load_data(folder)
    with pytest.raises(ValueError, match="Received: masks=.*nowhere"):
        load_annotated(data, masks=folder / "nowhere")
    (folder / "masks").mkdir()
    with pytest.raises(ValueError, match="Received: part='head'"):
        load_annotated(data, part="head")
