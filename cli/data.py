import click

from keras_csg_cli.options import (
    ANY_PATH,
    NumberOrText,
    folder_options,
    held_out_options,
    json_option,
    load_library,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line

MOST_ROWS = 30
"""Classes that are shown one by one; of more, the rarest."""
SHOWN = 3


@click.command(short_help="Say what a data set holds.")
@click.argument("data", metavar="NAME|FOLDER")
@json_option
@click.option(
    "--data-dir",
    type=ANY_PATH,
    help="TFDS directory (default: TFDS_DATA_DIR).",
)
@click.option(
    "--image-size",
    type=NumberOrText(),
    metavar="SIDE|HEIGHTxWIDTH",
    help="What images are resized to.",
)
@folder_options
@held_out_options
@click.option(
    "--near/--no-near",
    default=True,
    help="Look for nearly equal pictures, which reads them all.",
)
@click.option(
    "--picture",
    metavar="FILE",
    type=ANY_PATH,
    help="Draw some images of each class into this PNG file.",
)
def data(data, as_json, **settings):
    """Say what NAME or FOLDER holds, as a training would see it.

    Images of each class in each split, sizes of the files, what is not read
    and why, equal and nearly equal images within and across the splits.
    """
    load_library()
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    with user_mistakes(), tracking() as track:
        report = commands.describe_data(
            data, track=track, log=lambda line: None, **settings
        )
    if as_json:
        print_json(report.to_dict())
        return
    _print(report)
    if settings["picture"]:
        say(f"Drew {settings['picture']}")


def _print(report):
    from keras_csg_cli.tables import Table, print_table

    table = Table("class", title=report.name)
    for split in report.counts:
        table.add_column(split, justify="right")
    for name, *counts in _rows(report):
        table.add_row(name, *(f"{count:,}" for count in counts))
    print_table(table)
    for line in _lines(report):
        print_line(line)


def _rows(report):
    """Returns a row for each class, the rarest where they are many."""
    rows = list(zip(report.class_names, *report.counts.values(), strict=True))
    totals = [("all", *report.examples.values())]
    if len(rows) <= MOST_ROWS:
        return rows + totals
    rarest = sorted(rows, key=lambda row: row[1])[:MOST_ROWS]
    left = len(rows) - len(rarest)
    rest = [(f"{left:,} more", *_rest(report.counts, rarest))]
    return rarest + rest + totals


def _rest(counts, rows):
    return [
        sum(count) - sum(row[column] for row in rows)
        for column, count in enumerate(counts.values(), start=1)
    ]


def _lines(report):
    height, width, _ = report.image_shape
    yield f"Images are loaded at {height}x{width}."
    if report.sizes:
        most, count = next(iter(report.sizes.items()))
        narrow, wide = report.aspects
        yield (
            f"Files: {len(report.sizes):,} sizes, {count:,} of {most}; "
            f"width over height {narrow:.2f} to {wide:.2f}."
        )
    yield from report.notes
    for reason, what in report.passed_over.items():
        yield f"Not read: {what['count']:,} {reason}: " + _some(
            what["examples"], what["count"]
        )
    if report.broken:
        yield f"Broken: {len(report.broken):,}: " + _some(
            report.broken[:SHOWN], len(report.broken)
        )
    yield from _groups("equal files", report.copies)
    yield from _groups("nearly equal pictures", report.near)


def _groups(what, found):
    if found is None or not found.groups:
        return
    images = sum(map(len, found.groups))
    yield (
        f"{len(found.groups):,} groups of {what}, {images:,} images; "
        f"{found.across:,} across splits, {found.classes:,} across classes, "
        f"such as {' and '.join(found.groups[0][:2])}."
    )


def _some(names, count):
    return ", ".join(names) + (", ..." if count > len(names) else "")
