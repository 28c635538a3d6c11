"""Names that macOS and others write in different forms of Unicode."""

import unicodedata

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_csg

COMPOSED, SPLIT = (unicodedata.normalize(f, "café") for f in ("NFC", "NFD"))


def levels(split):
    return sorted(split.images_and_labels()[0][:, 0, 0, 0].tolist())


def test_two_forms_of_a_name_are_one_class(write_images):
    write_images(f"train/{COMPOSED}", 8)
    write_images(f"train/{SPLIT}", 8, first=20)
    write_images("train/tea", 8, first=40)
    write_images(f"test/{SPLIT}", 4, first=60)
    folder = write_images("test/tea", 4, first=80)
    data = keras_csg.load_data(folder)
    assert data.class_names == [COMPOSED, "tea"]
    assert_array_equal(data.test.class_counts, [4, 4])
    assert sum(data.train.class_counts + data.validation.class_counts) == 24
    chosen = keras_csg.load_data(folder, classes=["tea", SPLIT])
    assert chosen.class_names == ["tea", COMPOSED]


def test_the_same_images_in_another_form_are_the_same(write_images, tmp_path):
    """What is held out does not hang on the machine that wrote the names."""
    held_out = []
    for form in (COMPOSED, SPLIT):
        write_images(f"{form}-data/{form}", 20)
        write_images(f"{form}-data/tea", 20, first=40)
        data = keras_csg.load_data(tmp_path / f"{form}-data")
        held_out.append([levels(data.validation), levels(data.test)])
    assert held_out[0] == held_out[1]


@pytest.mark.parametrize("written", [COMPOSED, SPLIT])
@pytest.mark.parametrize("on_disk", [COMPOSED, SPLIT])
def test_tables_find_their_images(write_images, written, on_disk):
    folder = write_images(f"{on_disk}/one", 12)
    write_images(f"{on_disk}/two", 12, first=40)
    rows = [
        f"{written}/{name}/{number:03}.png,{label}"
        for name, first, label in (("one", 0, written), ("two", 40, "tea"))
        for number in range(first, first + 12)
    ]
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))
    data = keras_csg.load_data(folder, labels=folder / "labels.csv")
    assert data.class_names == sorted([COMPOSED, "tea"])
    assert sum(data.train.class_counts) > 10


@pytest.mark.parametrize("written", [COMPOSED, SPLIT])
def test_boxes_and_masks_find_their_images(write_images, written):
    from PIL import Image

    write_images(f"train/{SPLIT}", 8)
    write_images("train/tea", 8, first=20)
    write_images(f"test/{SPLIT}", 4, first=60)
    folder = write_images("test/tea", 4, first=80)
    (folder / "boxes.csv").write_text(
        f"file,box_x0,box_y0,box_x1,box_y1\ntest/{written}/060.png,2,2,8,8\n",
        encoding="utf-8",
    )
    data = keras_csg.load_data(folder)
    found = keras_csg.data.load_annotated(data)
    assert found.masks.sum() == 36
    (folder / "boxes.csv").unlink()
    mask = np.zeros((16, 16), "uint8")
    mask[:4] = 255
    path = folder / "masks" / "test" / written / "061.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(mask).save(path)
    found = keras_csg.data.load_annotated(keras_csg.load_data(folder))
    assert found.masks.sum() == 64
