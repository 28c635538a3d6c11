"""Results as people read them."""

import sys

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.measure import Measurement
from rich.table import Table

from keras_csg.printable import printable
from keras_csg_cli.clean_output import raw


def escape(text):
    """Returns what comes from data as `rich` shows it: as mere text."""
    return escape_markup(printable(str(text)))


def print_metrics(metrics, title):
    """Prints a flat dict of figures as a table on stdout."""
    print_columns([("value", metrics)], title)


def print_columns(columns, title):
    """Prints flat dicts of figures side by side as a table on stdout.

    Args:
        columns: list of pairs of a heading and a flat dict. A figure that a
            dict does not have is left empty in its column.
        title: str.
    """
    table = Table("figure", title=escape(title))
    for heading, _ in columns:
        table.add_column(escape(heading), justify="right")
    names = dict.fromkeys(name for _, figures in columns for name in figures)
    for name in names:
        if name == "confusion_matrix":  # A picture shows it.
            continue
        cells = [_cell(figures.get(name, "")) for _, figures in columns]
        table.add_row(name.replace("_", " "), *cells)
    print_table(table)


def print_table(table):
    """Prints a `rich` table on stdout, whole where that has no width."""
    console = Console(file=raw(sys.stdout))
    if not console.is_terminal:
        # A file or a pipe has no width to cut the table to.
        wide = console.options.update(width=1000)
        console.width = Measurement.get(console, wide, table).maximum
    console.print(table)


def _cell(value):
    if value is None:
        return "undefined"
    if isinstance(value, list):
        known = [number for number in value if number is not None]
        if not known:
            return _cell(None)
        return f"{_cell(min(known))} to {_cell(max(known))}"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
