"""What a training shows while it runs and in the end."""

import os
import shlex

import click

from keras_csg import choices
from keras_csg.printable import printable
from keras_csg_cli.ending import AGAIN, ending
from keras_csg_cli.options import UserMistake
from keras_csg_cli.printing import print_json

log_option = click.option(
    "--log",
    "loggers",
    multiple=True,
    type=click.Choice(choices.LOGGERS),
    help="Where figures go by epoch, beside the run; give it several times for "
    "several (default: tensorboard, if installed).",
)
"""Says who is told the figures while a network trains."""


def run_training(trainer, first, as_json):
    """Trains, shows how far it is, and prints the figures.

    Args:
        trainer: `Trainer`.
        first: bool. Whether this process speaks for all.
        as_json: bool. Whether the figures are printed as JSON.
    """
    from keras_csg.training.callbacks import NonFiniteLossError
    from keras_csg.training.write_errors import RunWriteError
    from keras_csg_cli.progress import TrainingProgress
    from keras_csg_cli.tracking import console

    say_how_to_go_on(trainer.run.path)
    try:
        with TrainingProgress(console(quiet=not first), trainer) as progress:
            metrics = trainer.train(callbacks=[progress])
    except NonFiniteLossError as error:
        raise click.ClickException(str(error)) from error
    except RunWriteError as error:
        raise UserMistake(str(error)) from error
    if first:
        print_figures(metrics, trainer.run.path, as_json)


def say_how_to_go_on(path):
    """Lets a training that is stopped say so, once there is a run.

    Args:
        path: of the run.
    """

    def line():
        if not os.path.exists(os.path.join(path, "config.json")):
            return AGAIN
        where = printable(shlex.quote(os.fspath(path)))
        return f"Stopped. Go on with: keras-csg train --resume --out {where}"

    ending.line = line


def print_figures(metrics, path, as_json):
    """Prints the figures of a run, as a table or as JSON."""
    if as_json:
        print_json(metrics)
        return
    from keras_csg_cli.tables import print_metrics

    print_metrics(metrics, title=f"{path} on the test split")
