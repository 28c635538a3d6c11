"""Files become pixels as the description says, whoever follows it."""

import numpy as np
import pytest

from keras_csg.data.image_reading import ImageReading
from keras_csg.data.image_steps import preprocessing_steps
from tests.data.odd_files import UNREADABLE, write_odd_files
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
