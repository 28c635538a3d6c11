import logging

import pytest

from keras_csg import load_data
from keras_csg.data.memory import _container_memory, available_memory
from keras_csg.data.sources import Request


@pytest.mark.parametrize("image_size", [0, -1, 2.5, (32,), (32, 0), "32,32"])
def test_image_size_must_be_positive_integers(image_size):
    with pytest.raises(ValueError, match="`image_size` must be a positive"):
        load_data("digits", image_size=image_size)


@pytest.mark.parametrize("validation_split", [0, -0.1, 0.6, None])
def test_validation_split_must_be_a_share(validation_split):
    with pytest.raises(
        ValueError, match=f"validation_split={validation_split}"
    ):
        load_data("digits", validation_split=validation_split)


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_seed_must_be_an_integer(seed):
    with pytest.raises(ValueError, match=f"Received: seed={seed}"):
        load_data("digits", seed=seed)


def test_cache_must_be_known():
    with pytest.raises(ValueError, match="Received: cache='yes'"):
        load_data("digits", cache="yes")


def test_an_image_size_may_be_a_pair():
    data = load_data("digits", image_size=(16, 24))
    assert data.image_shape == (16, 24, 3)
    assert data.test.images_and_labels(2)[0].shape == (2, 16, 24, 3)


@pytest.mark.parametrize("cache, wanted", [(True, True), (False, False)])
def test_cache_can_be_forced(cache, wanted):
    assert request(cache).wants_cache(10**3, (8, 8)) == wanted


def test_images_that_are_to_be_kept_have_to_fit():
    with pytest.raises(ValueError, match="GiB, more than is free: ask for a"):
        request(True).wants_cache(10**9, (512, 512))


@pytest.mark.parametrize("name", ["digits", "shapes", "no-such-folder/"])
def test_no_image_may_have_more_pixels_than_a_panorama(name):
    with pytest.raises(ValueError, match="may be 178,956,970 pixels at most"):
        load_data(name, image_size="99999999x2")


@pytest.mark.parametrize("name", ["digits", "shapes"])
def test_images_that_are_made_have_to_fit(name, monkeypatch):
    monkeypatch.setattr("keras_csg.data.memory.available_memory", lambda: 2**30)
    with pytest.raises(ValueError, match="1000x1000 take .* more than is fre"):
        load_data(name, image_size=1000)


def test_one_image_has_to_fit(monkeypatch):
    monkeypatch.setattr("keras_csg.data.memory.available_memory", lambda: 2**20)
    with pytest.raises(ValueError, match="An image of 1000x1000 takes 0.0 GiB"):
        load_data("no-such-folder/", image_size=1000)


def test_the_cache_stops_at_half_of_the_free_memory():
    lines = []
    fitting = int(available_memory() / 2 / 3 * 0.9)
    assert request("auto", lines).wants_cache(fitting, (1, 1))
    assert lines == []
    assert not request("auto", lines).wants_cache(2 * fitting, (1, 1))
    assert "more than half of the free memory" in lines[0]


def request(cache, lines=None):
    log = (lines if lines is not None else []).append
    return Request("x", None, None, 0.1, 0, cache, log)


def test_a_containers_limit_counts(tmp_path):
    (tmp_path / "memory.current").write_text("300\n")
    (tmp_path / "memory.max").write_text("1000\n")
    assert _container_memory(tmp_path) == 700
    (tmp_path / "memory.max").write_text("max\n")
    assert _container_memory(tmp_path) == float("inf")
    assert _container_memory(tmp_path / "none") == float("inf")


def test_progress_goes_to_logging_unless_told_otherwise(flat_folder, caplog):
    lines = []
    with caplog.at_level(logging.INFO, logger="keras_csg"):
        load_data(flat_folder, log=lines.append)
        assert caplog.messages == []
        load_data(flat_folder)
    assert caplog.messages == lines
    assert lines == [f"Reading the images of {flat_folder}: 40 train."]
