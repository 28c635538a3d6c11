import shutil

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from keras_csg import load_data
from keras_csg.data import image_files
from keras_csg.data.image_files import decode_file


def red_levels(split):
    """The numbers of the images, as `write_images` wrote them."""
    return set(split.images_and_labels()[0][:, 0, 0, 0])


def test_class_folders_alone_are_split_three_ways(flat_folder):
    data = load_data(flat_folder)
    assert data.name == str(flat_folder)
    assert data.class_names == ["cat", "dog"]
    assert data.image_shape == (16, 16, 3)
    assert data.allow_flip
    splits = (data.train, data.validation, data.test)
    assert [s.num_examples for s in splits] == [31, 3, 6]
    assert_array_equal(data.test.class_counts, [4, 2])
    levels = [red_levels(split) for split in splits]
    assert set.union(*levels) == {*range(20), *range(100, 120)}
    images, labels = data.train.images_and_labels()
    assert_array_equal(labels, images[:, 0, 0, 0] >= 100)


def test_of_train_and_val_alone_val_is_the_test_split(write_images):
    for name in ("a", "b"):
        write_images(f"train/{name}", 20)
        folder = write_images(f"val/{name}", 5, first=50)
    data = load_data(folder)
    splits = (data.train, data.validation, data.test)
    assert [s.num_examples for s in splits] == [38, 2, 10]
    assert red_levels(data.test) == set(range(50, 55))


@pytest.mark.parametrize("validation", ["val", "valid", "validation"])
def test_three_split_folders_are_taken_as_they_are(write_images, validation):
    for name in ("a", "b"):
        write_images(f"train/{name}", 4)
        write_images(f"{validation}/{name}", 2, first=20)
        folder = write_images(f"test/{name}", 3, first=50)
    data = load_data(folder)
    assert red_levels(data.train) == {0, 1, 2, 3}
    assert red_levels(data.validation) == {20, 21}
    assert red_levels(data.test) == {50, 51, 52}


def test_train_alone_is_split_three_ways(write_images):
    write_images("train/a", 20)
    data = load_data(write_images("train/b", 20))
    assert data.class_names == ["a", "b"]
    assert data.test.num_examples == 8


def test_a_class_may_be_called_train(write_images):
    write_images("train", 10)
    data = load_data(write_images("bus", 10))
    assert data.class_names == ["bus", "train"]


def test_hidden_and_other_files_are_no_images(write_images):
    write_images("a", 10)
    write_images("a/more", 10)
    write_images("b", 20)
    folder = write_images(".cache", 3)
    (folder / "a" / "notes.txt").write_text("no image")
    (folder / "a" / ".hidden.png").write_text("no image")
    data = load_data(folder)
    assert data.class_names == ["a", "b"]
    splits = (data.train, data.validation, data.test)
    assert sum(s.num_examples for s in splits) == 40


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".gif", ".webp", ".PNG"])
def test_formats(write_images, suffix):
    write_images("a", 10, suffix=suffix)
    data = load_data(write_images("b", 10, suffix=suffix))
    image = data.train.images_and_labels(1)[0][0]
    assert_allclose(image[:2, :, 1], 200, atol=12)
    assert_allclose(image[-2:, :, 1], 0, atol=12)


def test_cached_and_streamed_images_are_the_same(write_images):
    write_images("a", 10, size=(40, 30), suffix=".jpg")
    folder = write_images("b", 10, size=(30, 50), suffix=".jpg")
    cached = load_data(folder, cache=True, image_size=(16, 24))
    streamed = load_data(folder, cache=False, image_size=(16, 24))
    assert cached.train.cached
    assert not streamed.train.cached
    for name in ("train", "validation", "test"):
        images, labels = getattr(cached, name).images_and_labels()
        others, other_labels = getattr(streamed, name).images_and_labels()
        assert_array_equal(images, others)
        assert_array_equal(labels, other_labels)


def test_images_of_many_sizes_become_224(write_images):
    write_images("a", 4, size=(10, 20))
    assert load_data(write_images("b", 4)).image_shape == (224, 224, 3)


def test_photographs_of_one_camera_become_224(write_images):
    write_images("a", 8, size=(300, 400))
    folder = write_images("b", 8, size=(300, 400))
    assert load_data(folder).image_shape == (224, 224, 3)
    assert load_data(folder, image_size=300).image_shape == (300, 300, 3)


def test_a_panorama_is_no_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    path = tmp_path / "wide.png"
    Image.new("RGB", (400, 60), (9, 80, 200)).save(path)
    assert_array_equal(decode_file(path, (4, 4))[0, 0], (9, 80, 200))
    assert Image.MAX_IMAGE_PIXELS == 1000
    monkeypatch.setattr(image_files, "MOST_PIXELS", 20_000)
    with pytest.raises(ValueError, match="has 400x60 pixels, more than 20,000"):
        decode_file(path, (4, 4))


def test_resizing_keeps_the_aspect_and_the_centre(tmp_path):
    pixels = np.zeros((40, 80, 3), "uint8")
    pixels[:, 20:40, 0] = 255
    pixels[:, 40:60, 1] = 255
    path = tmp_path / "wide.png"
    Image.fromarray(pixels).save(path)
    image = decode_file(path, (10, 10))
    # The middle square of it, left half red, right half green; where colours
    # meet they mix.
    assert_allclose(image[:, 1:4], [[[255, 0, 0]] * 3] * 10, atol=1)
    assert_allclose(image[:, 6:9], [[[0, 255, 0]] * 3] * 10, atol=1)
    assert image[..., :2].sum(-1).min() > 200


@pytest.mark.parametrize(
    "mode, value, expected",
    [
        ("L", 90, (90, 90, 90)),
        ("1", 1, (255, 255, 255)),
        ("LA", (90, 51), (222, 222, 222)),
        ("RGBA", (9, 80, 200, 255), (9, 80, 200)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (5, 80, 200, 51), (205, 220, 244)),
        ("I;16", 90 * 256, (90, 90, 90)),
        ("P", 7, (255, 255, 255)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, value, expected):
    image = Image.new(mode, (8, 8), value)
    if mode == "P":
        image.putpalette([9, 80, 200] * 256)
        image.info["transparency"] = bytes([0] * 256)
    image.save(tmp_path / "x.png")
    pixels = decode_file(tmp_path / "x.png", (8, 8))
    assert_array_equal(pixels, np.full((8, 8, 3), expected))


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / "x.jpg")
    pixels = decode_file(tmp_path / "x.jpg", (8, 8))
    assert_allclose(pixels, np.full((8, 8, 3), (0, 255, 255)), atol=3)


def test_exif_orientation_is_honoured(write_images):
    folder = write_images("a", 20, size=(16, 32))
    write_images("b", 20, size=(16, 32))
    for path in folder.glob("?/*.png"):
        image = Image.open(path)
        exif = Image.Exif()
        exif[0x0112] = 6  # To be turned by a quarter.
        image.save(path, exif=exif)
    data = load_data(folder)
    assert data.image_shape == (32, 16, 3)
    # The bright upper half is on the right now.
    image = data.train.images_and_labels(1)[0][0]
    assert_array_equal(image[:, :8, 1], 0)
    assert_array_equal(image[:, 8:, 1], 200)


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return str(path)


@pytest.mark.parametrize("cache", [True, False])
def test_broken_files_are_named_and_left_out(write_images, cache):
    write_images("a", 100, size=(32, 32), suffix=".jpg")
    folder = write_images("b", 100, size=(32, 32), suffix=".jpg")
    broken = [truncate(folder / "a" / "003.jpg"), str(folder / "b" / "005.jpg")]
    (folder / "b" / "005.jpg").write_text("no image")
    lines = []
    data = load_data(folder, cache=cache, log=lines.append)
    assert data.skipped == broken
    assert f"Left out 2 broken images: {', '.join(broken)}" in lines
    splits = (data.train, data.validation, data.test)
    assert sum(s.num_examples for s in splits) == 198
    for split in splits:
        split.images_and_labels()


@pytest.mark.parametrize("cache", [True, False])
def test_many_broken_files_are_an_error(flat_folder, cache):
    for number in range(5):
        truncate(flat_folder / "cat" / f"{number:03}.png")
    with pytest.raises(ValueError, match=r"where 5 of 40 are: .*002.png, \.\."):
        load_data(flat_folder, cache=cache)


def test_a_missing_folder(tmp_path):
    for name in (tmp_path / "none", "./none/at/all"):
        with pytest.raises(ValueError, match="must be an existing folder"):
            load_data(name)


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="two or more classes.* with none"):
        load_data(tmp_path)


def test_one_class_alone(write_images):
    folder = write_images("cat")
    with pytest.raises(ValueError, match="two or more classes.* with cat"):
        load_data(folder)


def test_an_empty_class_folder_is_named(flat_folder):
    (flat_folder / "emu").mkdir()
    with pytest.raises(ValueError, match="emu', which has none"):
        load_data(flat_folder)


def test_a_class_without_a_folder_in_one_split_is_named(write_images):
    for place in ("train/a", "train/b", "val/a", "val/b"):
        write_images(place)
    folder = write_images("val/c")
    with pytest.raises(
        ValueError, match="val', where c is not in that of train"
    ):
        load_data(folder)


@pytest.mark.parametrize("seed", range(4))
def test_a_class_of_one_image_is_trained_on_and_said(write_images, seed):
    write_images("a", 23)
    write_images("rare", 1)
    folder = write_images("z", 20)
    lines = []
    data = load_data(folder, seed=seed, log=lines.append)
    assert data.train.class_counts[1] == 1
    assert (
        f"{folder}: validation has none of rare; test has none of rare."
        in lines
    )


def test_a_class_that_is_wholly_broken_is_refused_before_training(
    write_images,
):
    write_images("train/a", 150)
    write_images("train/b", 150)
    write_images("test/a", 2)
    folder = write_images("test/b", 1)
    for path in folder.glob("test/*/*.png"):
        path.write_bytes(b"")
    with pytest.raises(
        ValueError, match="leaves none that can be read for test"
    ):
        load_data(folder)
    truncate(folder / "train" / "b" / "000.png")
    write_images("test/a", 2)
    lines = []
    load_data(folder, log=lines.append)
    assert f"{folder}: test has none of b." in lines


def test_images_stay_where_they_are_when_others_come_and_go(write_images):
    write_images("a", 40)
    folder = write_images("b", 40, first=100)
    before = load_data(folder)
    (folder / "a" / "003.png").unlink()
    write_images("b", 60, first=140)
    after = load_data(folder)
    for name in ("train", "validation", "test"):
        levels = red_levels(getattr(before, name))
        assert red_levels(getattr(after, name)) >= levels - {3}


@pytest.fixture
def doubled(write_images):
    """Twenty images a class; one of test is in train, too, and one of val."""
    for split, first, count in (("train", 0, 20), ("val", 40, 5)):
        write_images(f"{split}/a", count, first=first)
        write_images(f"{split}/b", count, first=first + 100)
    write_images("test/a", 5, first=50)
    folder = write_images("test/b", 5, first=150)
    copy = folder / "test" / "a" / "050.png"
    for place in ("train/a/copy.png", "val/a/copy.png", "train/a/again.png"):
        shutil.copy(copy, folder / place)
    shutil.copy(folder / "train" / "a" / "000.png", folder / "train" / "b")
    return folder


def test_equal_files_in_several_splits_are_said(doubled):
    lines = []
    data = load_data(doubled, log=lines.append)
    assert (
        "1 images are in more than one split, such as train/a/again.png and "
        "val/a/copy.png: figures of the test split are too good by them; "
        "`drop_duplicates` leaves the others out." in lines
    )
    assert (
        "1 images lie in the folders of several classes, such as "
        "train/a/000.png and train/b/000.png." in lines
    )
    splits = (data.train, data.validation, data.test)
    assert [s.num_examples for s in splits] == [43, 11, 10]


def test_copies_can_be_left_out_and_stay_out(doubled):
    lines = []
    data = load_data(doubled, drop_duplicates=True, log=lines.append)
    assert any(line.endswith(": 3 copies are left out.") for line in lines)
    splits = (data.train, data.validation, data.test)
    assert [s.num_examples for s in splits] == [41, 10, 10]
    left_out = ["train/a/again.png", "train/a/copy.png", "val/a/copy.png"]
    assert sorted(data.listing.images["left out"]) == left_out


def test_copies_are_held_out_together(write_images):
    write_images("a", 60)
    folder = write_images("b", 60, first=100)
    for path in sorted(folder.glob("?/*.png")):
        shutil.copy(path, path.with_name(f"copy of {path.name}"))
    lines = []
    data = load_data(folder, log=lines.append)
    assert not any("more than one split" in line for line in lines)
    levels = [red_levels(s) for s in (data.train, data.validation, data.test)]
    assert sum(map(len, levels)) == 120 == len(set.union(*levels))


def test_other_data_have_no_files_to_compare():
    with pytest.raises(ValueError, match="`drop_duplicates` is for a folder"):
        load_data("digits", drop_duplicates=True)
    with pytest.raises(ValueError, match="`splits` is for a folder"):
        load_data("digits", splits="train=a")


@pytest.mark.slow
def test_animal_photographs(tmp_path, cifar10_dir):
    archive = cifar10_dir.parent / "animals10.tar"
    if not archive.exists():
        pytest.skip(f"no {archive}")
    import tarfile

    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "boxes.csv").unlink()
    data = load_data(tmp_path)
    assert data.image_shape == (128, 128, 3)
    assert data.num_classes == 10
    assert data.train.num_examples + data.validation.num_examples == 5015
    assert data.test.num_examples == 1191
