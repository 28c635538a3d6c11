"""How the command line prints: nothing else in it writes to a terminal.

Names of classes, files and filters are data. What is printed here as a line
is one line and does nothing but that, whatever the names in it are; tests see
to it that commands print in no other way.
"""

import json

import click

from keras_csg.printable import printable
from keras_csg_cli.clean_output import BYTES


def print_line(text, err=False):
    """Prints one line, in which ends of lines are shown by number.

    Args:
        text: str. Text of several lines takes as many calls.
        err: bool. Whether it goes to stderr.
    """
    # Names of files that are no text stay as they are where programs read.
    click.echo(printable(str(text), "" if err else BYTES), err=err)


def print_json(value):
    """Prints a value as JSON, which has names by number where they need it."""
    click.echo(json.dumps(value, indent=2))
