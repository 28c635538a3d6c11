"""Of what Keras says about a file that it cannot read, the reason is kept."""

import pytest

from keras_csg.backbones.weights import read_model_file
from keras_csg.backbones.weights.model_file import CONFIG
from tests.backbones.weights.test_strange_models import (  # noqa: F401
    layer,
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


def test_what_an_archive_lacks_is_one_sentence(whole, tmp_path):  # noqa: F811
    members = members_of(whole)
    del members[CONFIG]
    path = write(tmp_path / "a.keras", members)
    with pytest.raises(ValueError, match="keras: There is no item named"):
        read_model_file(path)
