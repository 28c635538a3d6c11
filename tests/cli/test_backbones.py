import json
import sys

import pytest
from click.testing import CliRunner

from keras_csg_cli.backbones import backbones


def run(*arguments):
    return CliRunner().invoke(backbones, arguments)


def test_table_has_a_full_line_for_each_backbone():
    from keras_csg.backbones import list_backbones

    result = run()
    assert result.exit_code == 0
    for name in list_backbones():
        assert name in result.stdout.split()
    assert "smallest image" in result.stdout
    assert "…" not in result.stdout


def test_line_shows_the_figures_in_human_form():
    (line,) = [x for x in run().stdout.splitlines() if "resnet20" in x]
    for cell in ("CIFAR ResNet", "270 k", "64", "32", "8"):
        assert cell in line


def test_json_holds_the_same_list():
    from keras_csg.backbones import describe_backbones

    assert json.loads(run("--json").stdout) == describe_backbones()


@pytest.mark.parametrize("pattern", ["ResNet-50", "resnet_50"])
def test_filter_finds_a_part_of_the_name(pattern):
    entries = json.loads(run("--json", pattern).stdout)
    assert [x["name"] for x in entries] == ["resnet50", "resnet50v2"]


def test_filter_finds_a_family():
    entries = json.loads(run("--json", "cifar resnet").stdout)
    assert {x["family"] for x in entries} == {"CIFAR ResNet"}
    assert len(entries) == 5


def test_presets_of_keras_hub_are_listed_by_their_prefix(monkeypatch):
    pytest.importorskip(
        "keras_hub", reason="keras-hub is not installed: keras-csg[hub]"
    )
    entries = json.loads(run("--json", "hub:resnet-18").stdout)
    assert [x["name"] for x in entries] == ["hub:resnet_18_imagenet"]
    assert "11.2 M" in run("hub:resnet_18").stdout
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    result = run("hub:")
    assert result.exit_code == 2
    assert "pip install 'keras-csg[hub]'" in result.stderr


def test_filter_without_a_match_names_the_nearest():
    result = run("resnet51")
    assert result.exit_code == 2
    assert "FILTER" in result.stderr
    assert "resnet50" in result.stderr
    assert "Traceback" not in result.stderr


def test_parameters_in_human_form():
    from keras_csg_cli.backbones import _human

    assert [_human(n) for n in (270448, 23587712, None)] == [
        "270 k",
        "23.6 M",
        "-",
    ]
