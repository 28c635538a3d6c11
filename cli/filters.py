import json

import click

from keras_csg import choices
from keras_csg_cli.options import (
    ANY_PATH,
    NumberOrText,
    data_dir_option,
    json_option,
    load_library,
    run_argument,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line

MOST_ROWS = 50
"""Classes of which there is a line, at most."""


@click.command(short_help="Show what each filter of a run fires for.")
@run_argument
@json_option
@click.option("--data", help="Other images of the run's classes.")
@data_dir_option
@click.option(
    "--split",
    type=click.Choice(choices.SPLITS),
    default="test",
    show_default=True,
    help="The images to look at.",
)
@click.option(
    "--class",
    "classes",
    metavar="NAME",
    multiple=True,
    help="Show the filters of this class alone; may be given again.",
)
@click.option(
    "--filter",
    "filters",
    metavar="NUMBER|NAME",
    type=NumberOrText(),
    multiple=True,
    help="Show this filter alone; may be given again.",
)
@click.option(
    "--images",
    "images_per_filter",
    type=click.IntRange(1),
    default=9,
    show_default=True,
    help="Images of each filter.",
)
@click.option(
    "--names",
    metavar="FILE",
    type=ANY_PATH,
    help="Names for filters to keep with the run: CSV with the columns filter "
    'and name, or JSON, {"12": "striped flank"}. An empty one takes it away.',
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Images to look at, spread over the split (default: all).",
)
@click.option("--batch-size", type=click.IntRange(1), default=128)
@click.option(
    "--out",
    metavar="DIR",
    type=ANY_PATH,
    help="Where to write (default: RUN/filters, with --class or --filter "
    "RUN/filters-chosen).",
)
def filters(run_path, as_json, filters, classes, out, **settings):
    """Show what each filter of RUN fires for, and what hangs on it.

    For every filter: the images that fire it most, outlined where it fires;
    the class that the gate gives it; how pure it is; how much of the class's
    recall hangs on it; its duplicates, the shared and the dead. RUN may be
    weights:NAME, one of `keras-csg weights`.

    Prints a table and writes DIR/index.html, a page of each class,
    filters.csv and filters.json.
    """
    load_library()
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    with tracking() as track, user_mistakes():
        commands.filters(
            run_path,
            filters=filters or None,
            classes=classes or None,
            out=out,
            track=track,
            log=say,
            **settings,
        )
        folder = commands.filters_folder(
            run_path, out, chosen=bool(filters or classes)
        )
    path = folder / "filters.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found):
    from keras_csg_cli.tables import Table, print_table

    figures = found["figures"]
    shown = {row["class"] for row in found["filters"]}
    rows = [row for row in found["classes"] if row["class"] in shown]
    table = Table(
        "class",
        title=f"{found['run']}: {figures['samples']:,} images of the "
        f"{found['split']} split",
    )
    for heading in ("filters", "purity", "MIS", "recall", "without them"):
        table.add_column(heading, justify="right")
    for row in rows[:MOST_ROWS]:
        cells = (
            row["purity"],
            row["mis"],
            row["recall"],
            row["recall_without"],
        )
        table.add_row(row["class"], str(row["filters"]), *map(_cell, cells))
    print_table(table)
    if len(rows) > MOST_ROWS:
        print_line(f"{len(rows) - MOST_ROWS:,} more classes are in the pages.")
    shared = f"{figures['shared']} shared, " * figures["gated"]
    print_line(
        f"{figures['filters']} filters: {shared}{figures['dead']} dead, "
        f"{figures['duplicates']:,} pairs of duplicates."
    )


def _cell(value):
    return "" if value is None else f"{value:.4f}"
