"""Files become pixels as the description says, whoever follows it."""

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.data.image_reading import ImageReading
from keras_csg.data.image_steps import preprocessing_steps
from tests.data.odd_files import UNREADABLE, scene, write_odd_files
from tests.data.written_anew import preprocessed

READINGS = [
    ImageReading(),
    ImageReading("pad", "#20c080"),
    ImageReading("squash", "black", white_level=4095),
]
SIZE = (24, 32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_odd_files(tmp_path_factory.mktemp("odd"))


@pytest.mark.parametrize("reading", READINGS, ids=lambda r: r.resize)
def test_the_description_gives_the_same_to_one_grey_level(reading, files):
    image = {"shape": (None, *SIZE, 3), "dtype": "uint8"}
    steps = preprocessing_steps(reading, image)
    gaps = {}
    for path in files:
        if path.name not in UNREADABLE:
            expected = preprocessed(path, steps)
            given = reading.decode(path, SIZE).astype(float)
            assert given.shape == expected.shape, path
            gaps[path.name] = np.abs(given - expected).max()
    assert len(gaps) > 30
    assert {name: gap for name, gap in gaps.items() if gap > 1} == {}


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_what_is_no_image_is_no_image(name, files):
    (path,) = [path for path in files if path.name == name]
    with pytest.raises((OSError, ValueError)):
        ImageReading().decode(path, SIZE)


def photographs(folder):
    """Writes JPEG files of two classes, turned, of many times a network's side.

    Returns their paths.
    """
    paths = []
    for number in range(24):
        height, width = 160 + 9 * number, 340 - 7 * number
        pixels = np.roll(scene(height, width), 17 * number, axis=1)
        pixels = np.clip(pixels * (0.4 + number / 40), 0, 255).astype("uint8")
        exif = Image.Exif()
        exif[0x0112] = 1 + number % 8
        path = folder / ("ant", "bee")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, exif=exif, quality=90)
        paths.append(path)
    return paths


def sets(folder, tmp_path, kind):
    """Loads the same files as a set of a kind; returns its pixels."""
    name, more = folder, {}
    if kind == "tfds":
        keras_csg.pack(folder, tmp_path / "sets", log=None)
        name, more = folder.name, {"data_dir": tmp_path / "sets"}
    elif kind == "list":
        rows = [
            f"{p.relative_to(folder)},{p.parent.name}"
            for p in sorted(folder.rglob("*.jpg"))
        ]
        table = tmp_path / "labels.csv"
        table.write_text("\n".join(["file,label", *rows]))
        more = {"labels": table}
    elif kind == "hugging_face":
        datasets = pytest.importorskip("datasets")
        loaded = datasets.load_dataset(
            "imagefolder", data_dir=str(folder), cache_dir=str(tmp_path / "hf")
        )
        loaded.save_to_disk(tmp_path / "saved")
        name = f"hf:{tmp_path / 'saved'}"
    for cache in (True, False):
        data = keras_csg.load_data(
            name, image_size=SIZE[0], resize="pad", cache=cache, **more
        )
        parts = (data.train, data.validation, data.test)
        yield np.concatenate([p.images_and_labels()[0] for p in parts])


@pytest.mark.parametrize("kind", ["folder", "list", "tfds", "hugging_face"])
def test_training_sees_the_same_pixels(kind, tmp_path):
    folder = tmp_path / "photos"
    paths = photographs(folder)
    image = {"shape": (None, SIZE[0], SIZE[0], 3), "dtype": "uint8"}
    steps = preprocessing_steps(ImageReading("pad"), image)
    expected = np.stack([preprocessed(path, steps) for path in paths])
    for pixels in sets(folder, tmp_path, kind):
        assert pixels.shape == expected.shape
        gaps = np.abs(pixels[:, None].astype(float) - expected)
        gaps = gaps.max(axis=(2, 3, 4))
        assert gaps.min(axis=1).max() <= 1
        # Each is another one.
        assert set(gaps.argmin(axis=1)) == set(range(len(paths)))
