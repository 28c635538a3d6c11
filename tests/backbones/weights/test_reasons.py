"""A file that Keras cannot read, or should not: the reason is said."""

import pytest

from keras_csg.backbones.weights import read_model_file
from keras_csg.backbones.weights.model_file import CONFIG
from tests.backbones.weights.test_strange_models import (  # noqa: F401
    layer,
    layers_of,
    members_of,
    refused,
    whole,
    with_config,
    write,
)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"filters": -1}, "argument `filters`.*filters=-1"),
        ({"activation": "os.system"}, "activation.*os.system"),
    ],
)
def test_the_innermost_reason_is_said(options, words, whole, tmp_path):  # noqa: F811
    path = with_config(
        whole,
        tmp_path / "a.keras",
        lambda config: layer(config, "conv")["config"].update(options),
    )
    refused(path, words)


def test_a_class_of_another_module_is_named(whole, tmp_path):  # noqa: F811
    about = {
        "module": "os",
        "class_name": "system",
        "registered_name": "system",
        "config": {"name": "conv"},
    }
    path = with_config(
        whole,
        tmp_path / "a.keras",
        lambda config: layer(config, "conv").update(about),
    )
    refused(path, "class 'system'")


@pytest.mark.parametrize(
    "side, words",
    [
        (10**6, "1000000, and images have at most"),
        (9000, "9000x9000x3, and an image may take 512.0 MiB"),
    ],
)
def test_images_that_nobody_has_are_refused(side, words, whole, tmp_path):  # noqa: F811
    def change(config):
        for one in layers_of(config):
            if one["class_name"] == "InputLayer":
                one["config"]["batch_shape"] = [None, side, side, 3]

    path = with_config(whole, tmp_path / "a.keras", change)
    refused(path, f"has batch_shape of {words}")


def test_what_an_archive_lacks_is_one_sentence(whole, tmp_path):  # noqa: F811
    members = members_of(whole)
    del members[CONFIG]
    path = write(tmp_path / "a.keras", members)
    with pytest.raises(ValueError, match="keras: There is no item named"):
        read_model_file(path)
