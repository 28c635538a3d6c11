"""What `export` shows: a bar, lines, and a table of the files."""

import contextlib
import os
import pathlib
import traceback

from rich.progress import (
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from keras_csg_cli.tables import Table, print_table
from keras_csg_cli.tracking import Bar, console, print_on


@contextlib.contextmanager
def tracking(total):
    """Gives functions that show on stderr what is begun, and what is done.

    What converters print is held back at the file descriptor of stderr, so
    this writes to a copy of it.
    """
    with os.fdopen(os.dup(2), "w") as stderr:
        shown = console(file=stderr)
        bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=shown,
            transient=True,
            disable=not shown.is_terminal,
        )
        with bar:
            task = bar.add_task("", total=total)

            def begin(text):
                bar.update(task, description=text)

            def done(text=None):
                if text is not None:
                    print_on(shown, text)
                bar.advance(task)

            yield begin, done


@contextlib.contextmanager
def show_targets(targets):
    """Gives `on_begin` and `on_done` of an export that show what is written."""
    with tracking(len(targets)) as (begin, done):

        def on_done(target, result):
            if isinstance(result, dict):
                done(f"{target.path}: {human_size(result['bytes'])}")
                for name in result.get("kept", ()):
                    done(
                        f"{target.path / name} was changed and is kept: move "
                        "it away to have it written anew"
                    )
                return
            if isinstance(result, ValueError | OSError):
                done()  # The command ends with a line of all that failed.
            else:
                done(f"{target.path} failed")
                traceback.print_exception(result)  # A bug.

        yield (lambda target: begin(target.path.name)), on_done


def print_proofs(proofs, title):
    """Prints what was written as a table on stdout, a line for each file.

    Args:
        proofs: list of what `keras_csg.export` returned.
        title: str.
    """
    table = Table(title=title)
    # All of it fits into 80 columns; where it does not, names are not cut.
    table.add_column("file", overflow="fold")
    for heading in ("size", "worst gap", "agreement", "accuracy", "Keras's"):
        table.add_column(heading, justify="right")
    for proof in proofs:
        table.add_row(*_cells(proof))
    print_table(table)


def _cells(proof):
    worst = max(proof["gaps"].values(), default=None)
    return (
        pathlib.Path(proof["path"]).name,
        human_size(proof["bytes"]),
        "-" if worst is None else f"{worst:.1e}",
        _share(proof["agreement"]),
        _share(proof["accuracy"]),
        _share(proof["keras_accuracy"]),
    )


def _share(value):
    return "-" if value is None else f"{value:.4f}"


def human_size(size):
    """Returns a number of bytes in three digits, such as `1.21 MB`."""
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
