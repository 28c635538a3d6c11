"""Options of `train` that belong together."""

import click

from keras_csg import choices
from keras_csg_cli.options import adding

BY_RECIPE = "default: fits backbone and data"


def option(name, *args, **kwargs):
    """Declares an option that stays `None` unless the user gives it."""
    return click.option(name, *args, default=None, **kwargs)


gate_options = adding(
    option(
        "--gate-schedule",
        type=click.Choice(choices.GATE_SCHEDULES),
        help="Both paths in each step (default), or the paper's epochs "
        "in turn.",
    ),
    option("--gate-warmup", type=int, help="First epochs without the gate."),
    option(
        "--gate-period", type=int, help="Epochs from one gated to the next."
    ),
    option("--lambda-1", type=float, help="Weight of the gated path's loss."),
    option(
        "--lambda-2",
        type=float,
        help="The paper's way to close the gate: a penalty of this weight "
        "instead of the budget.",
    ),
    option(
        "--lambda-3",
        type=float,
        help="Weight of the class-specific head (default: 1; 0 is the "
        "paper's).",
    ),
    option(
        "--lambda-4",
        type=float,
        help="Weight of the complement: the other classes' filters must not "
        "tell the class (default: 0.3).",
    ),
    option(
        "--lambda-5",
        type=float,
        help="Weight of activation outside the class's filters (default: 1).",
    ),
    option(
        "--lambda-6",
        type=float,
        help="Weight of what filters tell of other classes than their own "
        "(default: 0).",
    ),
    option(
        "--filter-dropout",
        type=float,
        help="Share of filters its loss leaves out at random "
        "(default: all but two a class, 0.5 at most).",
    ),
    option(
        "--density",
        type=float,
        help="Share of the gate to leave open (default: one class to a "
        "filter).",
    ),
)
"""Adds what says how the gate is trained to a command."""

class_options = adding(
    option(
        "--hold-out-classes",
        metavar="A,B,...",
        help="Classes to train without: images that the network is not to "
        "know, for `detect`.",
    ),
    option(
        "--class-weights",
        metavar="balanced|FILE",
        help="How much each class counts in the loss: all alike, or by a file.",
    ),
    option(
        "--sampling",
        type=click.Choice(choices.SAMPLINGS),
        help="balanced: draw images so that all classes are as frequent.",
    ),
    option(
        "--logit-adjustment",
        type=float,
        metavar="TAU",
        help="Train for classes as if all were as frequent, 1 for wholly so.",
    ),
    option(
        "--long-tail",
        type=float,
        metavar="FACTOR",
        help="Thin out the training images, up to so many times fewer a class: "
        "to try what imbalance does.",
    ),
)
"""Adds what says how much each class counts to a command."""
