"""Names of sets of TensorFlow Datasets, and sets that cannot be had."""

import socket

import pytest
import tensorflow_datasets as tfds

from keras_csg import load_data
from keras_csg.data.sources import tfds_builder


def test_an_unknown_name_gets_the_nearest_ones(tmp_path):
    with pytest.raises(ValueError, match=r"nearest: cifar10, .*'cifr10'"):
        load_data("cifr10", data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"TensorFlow Datasets\. Received"):
        load_data("qqqqqqqqqqqq", data_dir=tmp_path)


def test_an_unknown_config_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="can open.*xyz") as caught:
        load_data("cifar10/xyz", data_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_offline_it_gives_up_at_once_and_leaves_nothing(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "create_connection", offline)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    data_dir = tmp_path / "sets"
    with pytest.raises(ValueError, match="tfds build mnist") as caught:
        load_data("mnist", data_dir=data_dir)
    message = str(caught.value)
    assert "no way to storage.googleapis.com" in message
    assert str(data_dir) in message
    assert "`--data digits`) needs nothing" in message
    assert "\n" not in message
    assert not data_dir.exists()


def test_a_failed_download_leaves_nothing_half_prepared(tmp_path, monkeypatch):
    def fail(builder, **kwargs):
        (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
        raise OSError("connection reset\nby peer")

    monkeypatch.setattr(tfds_builder, "_can_reach", lambda host, port: True)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    lines = []
    with pytest.raises(ValueError, match=r"downloaded \(connection reset\)"):
        load_data("mnist", data_dir=tmp_path, log=lines.append)
    assert lines[0].startswith("Downloading mnist into")
    assert not (tmp_path / "mnist").exists()


def test_a_set_to_be_fetched_by_hand_is_not_tried(tmp_path):
    with pytest.raises(ValueError, match="needs manual download.*tfds build"):
        load_data("imagenet2012", data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_proxy_is_asked_instead_of_the_host(tmp_path, monkeypatch):
    proxies = {"https": "http://proxy.example:3128"}
    monkeypatch.setattr("urllib.request.getproxies", lambda: proxies)
    builder = tfds.builder("mnist", data_dir=tmp_path)
    assert tfds_builder._download_host(builder) == ("proxy.example", 3128)
