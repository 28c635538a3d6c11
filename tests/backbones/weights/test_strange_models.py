"""A `.keras` file of a stranger runs nothing, takes little, costs one line."""

import io
import json
import os
import shutil
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_csg.backbones.weights import read_model_file
from keras_csg.backbones.weights.model_file import reason_of
from keras_csg.commands.predict import open_source
from tests.tiny import tiny_classifier
from tests.untrusted.test_archives import encrypt, write_zeros

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
CALLED = []


@keras.saving.register_keras_serializable(package="strange")
class Announced(keras.layers.Layer):
    """A class of ours, as Keras knows it: nothing is wrong with it."""


def announce(*args):
    """What must never be called."""
    CALLED.append(args)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "a.keras"
    tiny_classifier().save(path)
    return path


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_config(whole, path, change):
    """Writes the model with a changed configuration."""
    members = members_of(whole)
    config = json.loads(members[CONFIG])
    changed = change(config)
    members[CONFIG] = json.dumps(config if changed is None else changed)
    return write(path, members)


def with_weights(whole, path, change):
    """Writes the model with a changed file of weights."""
    members = members_of(whole)
    stream = io.BytesIO(members[WEIGHTS])
    with h5py.File(stream, "r+") as file:
        change(file)
    members[WEIGHTS] = stream.getvalue()
    return write(path, members)


def refused(path, words):
    """Asserts one line of a usual length, whatever it is opened by."""
    for read in (read_model_file, open_source):
        with pytest.raises(ValueError, match=words) as raised:
            read(path)
        message = str(raised.value)
        assert "\n" not in message and message.isprintable()
        assert len(message) < len(str(path)) + 300
        assert not message.endswith((":", ","))


def layers_of(config):
    """Returns the layers of the backbone in a classifier's configuration."""
    found, waiting = [], [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value and "config" in value:
                found.append(value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def layer(config, name):
    return next(
        one
        for one in layers_of(config)
        if isinstance(one["config"], dict) and one["config"].get("name") == name
    )


def test_a_whole_file_is_read(whole):
    assert read_model_file(whole).num_classes == 4


def test_a_lambda_is_not_run(tmp_path):
    x = images = keras.Input((8, 8, 3))
    x = keras.layers.Lambda(lambda y: y + 1)(x)
    keras.Model(images, x).save(tmp_path / "a.keras")
    refused(tmp_path / "a.keras", "Cannot read .*a.keras: .*ambda")


@pytest.mark.parametrize(
    "module, name",
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("tests.backbones.weights.test_strange_models", "announce"),
        ("keras.utils", "get_file"),
        ("keras.models", "load_model"),
    ],
)
def test_what_is_of_another_module_is_not_called(module, name, whole, tmp_path):
    def change(config):
        target = layer(config, "relu")
        target["module"], target["class_name"] = module, name
        target["registered_name"] = name
        target["config"] = {"command": f"touch {tmp_path / 'called'}"}

    refused(with_config(whole, tmp_path / "a.keras", change), "Cannot read")
    assert not CALLED and not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    "name", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "C:\\evil"]
)
def test_names_that_climb_out_are_refused(name, whole, tmp_path):
    path = write(tmp_path / "a.keras", {**members_of(whole), name: b"x"})
    refused(path, "leads out of the archive")


def test_a_link_is_refused(whole, tmp_path):
    path = tmp_path / "a.keras"
    shutil.copy(whole, path)
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(path, "its member assets/link is a link")


def test_an_encrypted_archive_is_refused(whole, tmp_path):
    shutil.copy(whole, tmp_path / "a.keras")
    encrypt(tmp_path / "a.keras")
    refused(tmp_path / "a.keras", "is encrypted")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="a pipe"):
        read_model_file(tmp_path / "a.keras")


def test_a_member_of_gigabytes_is_not_unpacked(tmp_path):
    path = tmp_path / "a.keras"
    write_zeros(path, WEIGHTS, 2**28)
    tracemalloc.start()
    refused(path, "it unpacks to 256.0 MiB, and the file has")
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_arrays_that_say_they_are_large_are_not_made(whole, tmp_path):
    def change(file):
        file["layers"].create_dataset(
            "bomb", (2**31,), "f4", chunks=(2**20,), compression="gzip"
        )

    path = with_weights(whole, tmp_path / "a.keras", change)
    refused(path, "it unpacks to 8.0 GiB")


def test_arrays_of_other_files_are_not_read(whole, tmp_path):
    def change(file):
        file["layers"].create_dataset(
            "other", (10,), "u1", external=[("/etc/passwd", 0, 10)]
        )

    path = with_weights(whole, tmp_path / "a.keras", change)
    refused(path, "its array layers/other lies in another file")


@pytest.mark.parametrize(
    "name, options, words",
    [
        ("conv", {"filters": 10**7}, "its layer conv has filters of 10000000"),
        ("conv", {"filters": 10**30}, "its layer conv has filters of 1000000"),
        (
            "conv",
            {"kernel_size": [4000, 4000]},
            "layers up to conv declare more",
        ),
        ("norm", {"name": "n", "units": 10**9}, "n has units of 1000000000"),
    ],
)
def test_a_layer_of_more_weights_than_there_are_is_not_built(
    name, options, words, whole, tmp_path
):
    path = with_config(
        whole,
        tmp_path / "a.keras",
        lambda config: layer(config, name)["config"].update(options),
    )
    refused(path, words)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_said(value, whole, tmp_path):
    def change(file):
        arrays = []
        file.visititems(
            lambda name, x: arrays.append(x) if hasattr(x, "dtype") else None
        )
        next(a for a in arrays if a.dtype.kind == "f" and a.size > 10)[...] = (
            value
        )

    path = with_weights(whole, tmp_path / "a.keras", change)
    refused(path, "its weights .* are NaN or infinite")


@pytest.mark.parametrize(
    "content, words",
    [
        (b"{", "Expecting"),
        (b"[]", "config.json is no table"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"class_name": NaN}', "NaN is no number"),
        (b"{}", "Cannot read"),
        (b'{"class_name": "Functional", "config": 5}', "Cannot read"),
        (b'{"class_name": "Nothing", "config": {}, "module": null}', "Cannot"),
    ],
)
def test_configurations_that_are_none_are_one_line(
    content, words, whole, tmp_path
):
    members = {**members_of(whole), CONFIG: content}
    refused(write(tmp_path / "a.keras", members), words)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_part_that_is_missing_is_one_line(name, whole, tmp_path):
    members = members_of(whole)
    del members[name]
    refused(write(tmp_path / "a.keras", members), "Cannot read")


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_network_are_one_line(whole, tmp_path):
    other = tmp_path / "other.keras"
    x = images = keras.Input((8, 8, 3))
    keras.Model(images, keras.layers.Conv2D(2, 3)(x)).save(other)
    members = {**members_of(whole), WEIGHTS: members_of(other)[WEIGHTS]}
    refused(write(tmp_path / "a.keras", members), "Cannot read")


@pytest.mark.parametrize(
    "error, words",
    [
        (ValueError("Bad:\n\nthe layer\nmore"), "Bad: the layer"),
        (ValueError("Bad:"), "Bad"),
        (ValueError(""), "it is damaged"),
        (KeyError("name"), "it lacks name"),
        (ValueError("x" * 5000), "x" * 197 + "..."),
        (ValueError("a\x1b[2Jb"), "a?[2Jb"),
        (RecursionError("deep"), "it is nested too deep"),
        (MemoryError(), "it takes more memory than there is"),
    ],
)
def test_reasons_are_one_line(error, words):
    assert reason_of(error) == words
