"""How far a list is done, on stderr."""

import contextlib
import sys

from rich.console import Console
from rich.progress import Progress

from keras_csg_cli.clean_output import raw
from keras_csg_cli.tables import escape


def console(quiet=False):
    """Returns a console on stderr, or one that shows nothing."""
    return Console(file=raw(sys.stderr), highlight=False, quiet=quiet)


@contextlib.contextmanager
def tracking():
    """Gives a function that shows on stderr how far a list is done."""
    shown = console()
    bar = Progress(console=shown, transient=True, disable=not shown.is_terminal)
    with bar:
        yield lambda batches, text, total=None: bar.track(
            batches, total=total, description=escape(text.replace("_", " "))
        )
