"""What `localize` shows: a bar, tables and a picture."""

import contextlib

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from keras_csg_cli.tables import print_table

FIGURES = {
    "iou": "IoU",
    "ap20": "AP20",
    "ap30": "AP30",
    "pointing_game": "pointing game",
    "grid_2x2": "grid 2x2",
    "grid_3x3": "grid 3x3",
}
LIKENESS = {"rank_correlation": "rank", "ssim": "SSIM"}
PICTURED = 6


@contextlib.contextmanager
def tracking():
    """Gives a function that shows on stderr how far a list is done."""
    console = Console(stderr=True)
    bar = Progress(
        console=console, transient=True, disable=not console.is_terminal
    )
    with bar:
        yield lambda batches, text: bar.track(
            batches, description=text.replace("_", " ")
        )


def print_rows(rows, title):
    """Prints figures as a table on stdout, a line for each map.

    Args:
        rows: dict from a map's name to a dict of its figures.
        title: str.
    """
    known = {name for figures in rows.values() for name in figures}
    names = [name for name in FIGURES if name in known]
    table = Table("map", title=escape(title))
    for name in names:
        table.add_column(FIGURES[name], justify="right")
    for row, figures in rows.items():
        cells = [_cell(figures.get(name)) for name in names]
        table.add_row(row.replace("_", " "), *cells)
    print_table(table)


def print_sanity(depths, title):
    """Prints how alike maps stay as a table on stdout, a line for each depth.

    Args:
        depths: what `cascading_randomization` returns.
        title: str.
    """
    maps = [name for name in depths[0] if isinstance(depths[0][name], dict)]
    table = Table("random layers", "down to", title=escape(title))
    for name in maps:
        for heading in LIKENESS.values():
            table.add_column(
                f"{name.replace('_', ' ')} {heading}", justify="right"
            )
    for depth in depths:
        likeness = [
            _cell(depth[name][key]) for name in maps for key in LIKENESS
        ]
        down_to = escape(depth["down_to"] or "none")
        table.add_row(str(depth["layers"]), down_to, *likeness)
    print_table(table)


def _cell(value):
    return "" if value is None else f"{value:.4f}"


def save_picture(model, annotated, path):
    """Draws some images with the maps of their classes."""
    from keras_csg.explain.randomization import MAPS
    from keras_csg.plots import maps as plots

    images, labels, masks = annotated
    chosen = slice(None, None, max(1, -(-len(images) // PICTURED)))
    prefix = "gated " if model.gated else ""
    arguments = {"classes": labels[chosen], "gated": model.gated}
    maps = {
        prefix + name: make(model, images[chosen], **arguments)
        for name, make in MAPS.items()
    }
    names = model.class_names or [str(c) for c in range(model.num_classes)]
    plots.save_maps(
        images[chosen],
        maps,
        path,
        masks=None if masks is None else masks[chosen],
        titles=[names[label] for label in labels[chosen]],
    )
