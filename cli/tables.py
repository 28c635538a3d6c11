"""Results as people read them."""

import sys

import rich.table
from rich.console import Console
from rich.measure import Measurement

from keras_csg_cli.clean_output import raw
from keras_csg_cli.tracking import plain


class Table(rich.table.Table):
    """A table whose every cell is mere text, since names are data.

    Args:
        *headings: str.
        title: str.
    """

    def __init__(self, *headings, title=None):
        shown = None if title is None else plain(title, "table.title")
        super().__init__(*headings, title=shown)

    def add_column(self, header="", **settings):
        """Adds a column."""
        super().add_column(plain(header), **settings)

    def add_row(self, *cells):
        """Adds a row."""
        super().add_row(*map(plain, cells))


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
    table = Table("figure", title=title)
    for heading, _ in columns:
        table.add_column(heading, justify="right")
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
