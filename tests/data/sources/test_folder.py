import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from keras_csg import load_data


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
    (said,) = (line for line in lines if line.startswith("Left out 2 broken"))
    assert f"{broken[0]} (" in said and "truncated" in said.lower()
    assert f"{broken[1]} (cannot identify image file)" in said
    splits = (data.train, data.validation, data.test)
    assert sum(s.num_examples for s in splits) == 198
    for split in splits:
        split.images_and_labels()


@pytest.mark.parametrize("cache", [True, False])
def test_many_broken_files_are_an_error(flat_folder, cache):
    for number in range(5):
        truncate(flat_folder / "cat" / f"{number:03}.png")
    with pytest.raises(
        ValueError, match=r"where 5 of 40 are: .*02.png \(.*\), \.\."
    ):
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
