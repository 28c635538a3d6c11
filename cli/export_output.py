"""What `export` shows: a bar, lines, and a table of the files."""

import contextlib
import os
import pathlib

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from keras_csg_cli.tables import print_table


@contextlib.contextmanager
def tracking(total):
    """Gives functions that show on stderr what is begun, and what is done.

    The converters' own chatter is caught where stderr itself leads; so this
    writes to a copy of it.
    """
    with os.fdopen(os.dup(2), "w") as stderr:
        console = Console(file=stderr, highlight=False)
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        with bar:
            task = bar.add_task("", total=total)

            def begin(text):
                bar.update(task, description=escape(text))

            def done(text):
                console.print(text, soft_wrap=True, markup=False)
                bar.advance(task)

            yield begin, done


def print_proofs(proofs, title):
    """Prints what was written as a table on stdout, a line for each file.

    Args:
        proofs: list of what `keras_csg.export` returned.
        title: str.
    """
    table = Table("file", title=escape(title))
    for heading in ("size", "images", "worst gap"):
        table.add_column(heading, justify="right")
    table.add_column("of output")
    for heading in ("agreement", "accuracy", "network's"):
        table.add_column(heading, justify="right")
    for proof in proofs:
        table.add_row(*_cells(proof))
    print_table(table)


def _cells(proof):
    images = str(proof["images"])
    if proof["proof_images"] == "random":
        images += " random"
    gaps = proof["gaps"]
    worst = max(gaps, key=gaps.get) if gaps else None
    return (
        escape(pathlib.Path(proof["path"]).name),
        human_size(proof["bytes"]),
        images,
        "-" if worst is None else f"{gaps[worst]:.1e}",
        "-" if worst is None else worst,
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
