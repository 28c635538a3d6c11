"""The lists that the command line offers are what the library has."""

import click
import pytest

from keras_csg import choices
from keras_csg.models import schedules
from keras_csg.training import TrainingOptions
from keras_csg.training.optimizers import OPTIMIZERS
from keras_csg_cli.main import cli


def test_optimizers_are_those_that_can_be_made():
    assert tuple(OPTIMIZERS) == choices.OPTIMIZERS


def test_gate_schedules_are_those_that_can_be_made():
    assert tuple(schedules.SCHEDULES) == choices.GATE_SCHEDULES


OFFERED = [
    pytest.param(command, option, id=f"{command} {option.opts[0]}")
    for command in sorted(cli.commands)
    for option in cli.commands[command].params
    if isinstance(option.type, click.Choice)
]
LISTS = {
    tuple(value)
    for name, value in vars(choices).items()
    if name.isupper() and not isinstance(value, int)
}


@pytest.mark.parametrize("command, option", OFFERED)
def test_a_command_offers_a_list_of_the_library(command, option):
    offered = tuple(name for name in option.type.choices if name != "all")
    assert offered in LISTS


@pytest.mark.parametrize(
    "option", [p for p in cli.commands["train"].params if p.name != "as_json"]
)
def test_what_train_offers_is_what_the_options_take(option):
    if isinstance(option.type, click.Choice):
        for name in option.type.choices:
            TrainingOptions.from_dict({option.name: name})
        with pytest.raises(ValueError, match="must be one of"):
            TrainingOptions.from_dict({option.name: "no such"})
