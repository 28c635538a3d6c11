import click

from keras_csg_cli.options import (
    ANY_PATH,
    data_dir_option,
    json_option,
    listed,
    load_library,
    run_argument,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line

COLUMNS = ("before", "before_masked", "after")
HEADINGS = {
    "before": "before",
    "before_masked": "before, left classes",
    "after": "after",
}


@click.command(short_help="Take filters or classes out of a trained network.")
@run_argument
@click.option(
    "--remove-filters",
    metavar="N,N,...",
    multiple=True,
    help="Filters, by their numbers, or the names that somebody gave them.",
)
@click.option(
    "--remove-class",
    metavar="CLASS",
    multiple=True,
    help="A class, with the filters that are its alone; may be given again.",
)
@click.option(
    "--keep-classes",
    metavar="A,B,...",
    multiple=True,
    help="Remove all classes but these; may be given again.",
)
@click.option(
    "--prune-shared",
    is_flag=True,
    help="Filters that serve several classes.",
)
@click.option(
    "--prune-dead",
    is_flag=True,
    help="Filters that answer the same on all training images.",
)
@click.option(
    "--out",
    metavar="RUN2",
    type=ANY_PATH,
    required=True,
    help="The new run.",
)
@click.option(
    "--against",
    metavar="RUN",
    type=ANY_PATH,
    help="A run without a gate, on the same data, that loses as many filters.",
)
@data_dir_option
@click.option("--batch-size", type=click.IntRange(1), default=128)
@json_option
def edit(
    run_path,
    out,
    as_json,
    remove_filters,
    remove_class,
    keep_classes,
    **settings,
):
    """Take filters or classes out of the network in RUN, into a new run.

    Without any training: the last convolution, its normalization, the head and
    the gate become smaller. Prints each class's recall before and after, and
    writes RUN2, which every other command takes. RUN may be weights:NAME, one
    of `keras-csg weights`, and need not have a gate: then no filter is a
    class's, and --remove-class leaves them all.
    """
    load_library()
    from keras_csg import commands

    with user_mistakes():
        result = commands.edit_run(
            run_path,
            out,
            remove_filters=listed(remove_filters) or None,
            remove_class=list(remove_class) or None,
            keep_classes=list(keep_classes) or None,
            log=say,
            **settings,
        )
    if as_json:
        print_json(result)
        return
    _print(result, run_path, out)


def _print(result, run_path, out):
    from keras_csg_cli.tables import Table, print_table

    other = result["against"]
    networks = [("", result)]
    if other is not None:
        networks.append((f"{other['run']} ", other))
    table = Table("class", "images", title=f"Recall: {run_path} to {out}")
    for name, _ in networks:
        for column in _columns(result):
            table.add_column(name + HEADINGS[column], justify="right")
    rows = [network["classes"] for _, network in networks]
    for beside in zip(*rows, strict=True):
        cells = [_cell(row[c]) for row in beside for c in _columns(result)]
        first = beside[0]
        table.add_row(first["class"], str(first["images"]), *cells)
    table.add_section()
    means = [n[f"mean_{c}"] for _, n in networks for c in _columns(result)]
    table.add_row("mean of the classes left", "", *map(_cell, means))
    print_table(table)
    for name in ("parameters", "file_bytes"):
        sizes = result[name]
        print_line(
            f"{name.replace('_', ' ')}: {sizes['before']:,} before, "
            f"{sizes['after']:,} after"
        )


def _columns(result):
    """Leaves out the column that is another where no class is."""
    skipped = () if result["removed_classes"] else ("before_masked",)
    return [column for column in COLUMNS if column not in skipped]


def _cell(value):
    return "-" if value is None else f"{value:.3f}"
