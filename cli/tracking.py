"""What is shown on stderr while a command works: a bar, and lines."""

import contextlib
import sys

import rich.progress
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from keras_csg.printable import printable
from keras_csg_cli.clean_output import raw


def plain(text, style=""):
    """Returns what comes from data as `rich` shows it: as one line of text.

    No markup in it counts, and no name of an emoji between colons.
    """
    return Text(printable(str(text)), style)


def console(quiet=False, file=None):
    """Returns a console on stderr, or one that shows nothing."""
    file = raw(sys.stderr) if file is None else file
    return Console(file=file, highlight=False, quiet=quiet)


def print_on(console, text):
    """Prints one line on a console, above its bar if it has one."""
    console.print(plain(text), soft_wrap=True)


class Bar(rich.progress.Progress):
    """A bar whose description is mere text."""

    def stop(self):
        """Ends what is shown; before 14.3 an empty line where nothing was."""
        if not self.disable:
            super().stop()

    def add_task(self, description, *args, **settings):
        """Adds what is counted."""
        return super().add_task(_escaped(description), *args, **settings)

    def update(self, task_id, *, description=None, **settings):
        """Says how far it is."""
        if description is not None:
            description = _escaped(description)
        super().update(task_id, description=description, **settings)


def _escaped(text):
    """Returns text as it is shown where there may be markup."""
    return escape(printable(text))


@contextlib.contextmanager
def tracking():
    """Gives a function that shows on stderr how far a list is done."""
    shown = console()
    bar = Bar(console=shown, transient=True, disable=not shown.is_terminal)
    with bar:
        yield lambda batches, text, total=None: bar.track(
            batches, total=total, description=text.replace("_", " ")
        )
