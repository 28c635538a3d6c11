"""Matrices of classes and filters as charts."""

from collections.abc import Sequence

import numpy as np

from keras_csg.reports.charts import PALETTE, Chart, leave_room, plain_figure
from keras_csg.reports.embedding import png_uri

MOST_CELLS = 400_000
"""Cells of a matrix that is drawn by the browser; larger ones are pictures."""
PICTURE = (500, 1024)
"""Rows and columns that such a picture has at most."""
MOST_TICKS = 30
MOST_WRITTEN = 16
"""Rows up to which cells have their number written in them."""


def matrix_chart(
    name: str,
    shares: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    hover: str,
    alternative: str,
    counts: np.ndarray | None = None,
    square: bool = True,
) -> Chart:
    """Draws a matrix of shares, as cells or, of very many, as a picture.

    Args:
        name: str. The chart's.
        shares: array `(rows, columns)` in `[0, 1]`; NaN where there is none.
        rows: list of str, one literal text a row, none twice.
        columns: list of the same of the columns.
        hover: str. Plotly's template of what a cell says: `%{y}`, `%{x}`,
            `%{z}` in percent, and `%{customdata}` of `counts`.
        alternative: str. See `Chart`.
        counts: int array of the shape of `shares`.
        square: bool. See `Chart`.
    """
    height, width = shares.shape
    figure = plain_figure()
    note = ""
    if shares.size <= MOST_CELLS:
        percents = np.rint(100 * np.nan_to_num(shares)).astype("uint8")
        figure.add_heatmap(
            z=percents,
            x=list(columns),
            y=list(rows),
            customdata=counts if height <= 200 else None,
            **_written(percents, counts),
            zmin=0,
            zmax=100,
            colorscale=[[0, PALETTE["surface"]], [1, PALETTE["accent"]]],
            hovertemplate=hover + "<extra></extra>",
            colorbar={
                "ticksuffix": " %",
                "thickness": 10,
                "outlinewidth": 0,
                "x": 1.01,
            },
            xgap=1 if width <= 40 else 0,
            ygap=1 if height <= 40 else 0,
        )
        figure.update_xaxes(type="category", constrain="domain")
        figure.update_yaxes(type="category")
    else:
        note = (
            f"{height:,} by {width:,} cells are more than a page can hold: "
            "this is a picture of them, in which each dot is the largest of "
            "the cells that it stands for."
        )
        _add_picture(figure, shares)
    figure.update_yaxes(autorange="reversed")
    for axis, size in (
        (figure.update_xaxes, width),
        (figure.update_yaxes, height),
    ):
        few = size <= MOST_TICKS
        axis(showgrid=False, showticklabels=few, ticks="outside" if few else "")
    figure.update_xaxes(tickangle=-60)
    leave_room(
        figure,
        rows=rows if height <= MOST_TICKS else [""],
        columns=columns if width <= MOST_TICKS else [""],
    )
    return Chart(name, figure, alternative, square=square, note=note)


def _written(percents, counts):
    """Returns what writes numbers into cells, where there are few of them."""
    if max(percents.shape) > MOST_WRITTEN:
        return {}
    numbers = percents if counts is None else counts
    text = [[str(n) if n else "" for n in row] for row in numbers.tolist()]
    return {"text": text, "texttemplate": "%{text}", "textfont": {"size": 11}}


def _add_picture(figure, shares):
    height, width = shares.shape
    small = _largest_of_blocks(np.nan_to_num(shares), *PICTURE)
    white, full = (
        np.array([int(PALETTE[role][i : i + 2], 16) for i in (1, 3, 5)])
        for role in ("surface", "accent")
    )
    pixels = white + small[..., None] * (full - white)
    figure.add_layout_image(
        source=png_uri(np.rint(pixels).astype("uint8")),
        xref="x",
        yref="y",
        x=-0.5,
        y=-0.5,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    # Axes need something to be axes of.
    figure.add_scatter(
        x=[-0.5, width - 0.5],
        y=[-0.5, height - 0.5],
        mode="markers",
        marker={"opacity": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _largest_of_blocks(matrix, rows, columns):
    """Returns a smaller matrix: nothing that is rare gets lost."""
    for axis, most in ((0, rows), (1, columns)):
        size = matrix.shape[axis]
        if size > most:
            starts = np.linspace(0, size, most, endpoint=False).astype(int)
            matrix = np.maximum.reduceat(matrix, starts, axis=axis)
    return matrix
