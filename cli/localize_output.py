"""What `localize` shows: a bar and tables."""

from keras_csg_cli.tables import Table, print_table

FIGURES = {
    "iou": "IoU",
    "ap20": "AP20",
    "ap30": "AP30",
    "pointing_game": "pointing game",
    "grid_2x2": "grid 2x2",
    "grid_3x3": "grid 3x3",
}
LIKENESS = {"rank_correlation": "rank", "ssim": "SSIM"}


def print_rows(rows, title):
    """Prints figures as a table on stdout, a line for each map.

    Args:
        rows: dict from a map's name to a dict of its figures.
        title: str.
    """
    known = {name for figures in rows.values() for name in figures}
    names = [name for name in FIGURES if name in known]
    table = Table("map", title=title)
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
    table = Table("random layers", "down to", title=title)
    for name in maps:
        for heading in LIKENESS.values():
            table.add_column(
                f"{name.replace('_', ' ')} {heading}", justify="right"
            )
    for depth in depths:
        likeness = [
            _cell(depth[name][key]) for name in maps for key in LIKENESS
        ]
        down_to = depth["down_to"] or "none"
        table.add_row(str(depth["layers"]), down_to, *likeness)
    print_table(table)


def _cell(value):
    return "" if value is None else f"{value:.4f}"
