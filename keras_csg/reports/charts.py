"""The charts of a page, as figures of plotly that the browser draws.

Colours are those of a light page; the page's script knows each by its value
and puts the theme's in its place.
"""

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from keras_csg.metrics.calibration import Reliability

PALETTE = {
    "ink": "#1c2430",
    "muted": "#5b6575",
    "grid": "#dfe3e9",
    "surface": "#fefefe",
    "accent": "#1f5fa8",
    "second": "#b8500f",
    "third": "#25784a",
    "fourth": "#7a3e9d",
}
"""Roles of colours, and what they are on a light page."""
LINES = ("accent", "second", "third", "fourth")
LONGEST_NAME = 22
LONGEST_RUN = 40
WIDTH = 7.0
"""Pixels of a letter, about."""


class Chart(NamedTuple):
    """A chart and what is said of it where it cannot be seen.

    Attributes:
        name: str. Its `id` in the page.
        figure: plotly figure.
        alternative: str. What it shows, in a sentence.
        title: str. Its heading, where it needs one.
        square: bool. Whether it is to be as high as it is wide.
        note: str. What of it was left out, if anything.
    """

    name: str
    figure: go.Figure
    alternative: str
    title: str = ""
    square: bool = False
    note: str = ""


def text_of(name: str, longest: int = LONGEST_NAME) -> str:
    """Returns a name as plotly shows it literally.

    It reads HTML in texts, and what is between two dollars as a formula.
    """
    short = name if len(name) <= longest else name[: longest - 1] + "…"
    text = html.escape(" ".join(short.split()))
    return text.replace("$", "&#36;")


def unique_texts(names: Sequence[str]) -> list[str]:
    """Returns names as `text_of` does, none of them twice."""
    texts: dict[str, int] = {}
    for number, name in enumerate(names):
        text = text_of(name)
        texts[text if text not in texts else f"{text} ({number})"] = number
    return list(texts)


def reliability_chart(
    runs: Mapping[str, Reliability], name: str = "reliability"
) -> Chart:
    """Draws accuracy over confidence, and how many images are in each bin.

    Args:
        runs: dict from a run's name to its `Reliability`.
        name: str.
    """
    figure = plain_figure(
        xaxis_title="it is this sure", yaxis_title="it is right"
    )
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"dash": "dot", "color": PALETTE["muted"]},
        name="perfect",
        hoverinfo="skip",
    )
    for colour, (run, found) in zip(LINES, runs.items(), strict=False):
        there = found.counts > 0
        sizes = 6 + 22 * np.sqrt(found.counts[there] / found.counts.max())
        figure.add_scatter(
            x=found.confidence[there],
            y=found.accuracy[there],
            customdata=found.counts[there],
            mode="lines+markers",
            line={"color": PALETTE[colour]},
            marker={"size": sizes, "color": PALETTE[colour], "opacity": 0.75},
            name=text_of(run, LONGEST_RUN),
            hovertemplate="sure to %{x:.1%}<br>right in %{y:.1%}"
            "<br>%{customdata:,} images",
        )
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(range=[-0.03, 1.05], tickformat=".0%")
    return Chart(
        name,
        figure,
        "Share of images told right, by how sure the model says it is; on the "
        "dotted line it means what it says. Larger dots are more images.",
        square=True,
    )


PANELS = {
    "curve-score": (
        "How much it tells right",
        {
            "accuracy": "all filters",
            "class_specific_accuracy": "own filters",
            "average_precision": "all filters",
            "class_specific_average_precision": "own filters",
        },
        ".0%",
    ),
    "curve-loss": (
        "Loss",
        {
            "standard_loss": "all filters",
            "loss": "all filters",
            "gated_loss": "gated path",
            "class_specific_loss": "own filters",
        },
        "",
    ),
    "curve-density": (
        "Density of the gate",
        {"l1_density": "density"},
        ".0%",
    ),
    "curve-mis": ("MIS without the gate", {"mis": "MIS"}, ""),
}


def curve_charts(history: Mapping[str, Sequence[float]]) -> list[Chart]:
    """Draws what happened from epoch to epoch, a chart for each unit.

    Args:
        history: dict from a figure to its values by epoch.
    """
    epochs = history.get("epoch", [])
    charts = []
    for name, (title, lines, ticks) in PANELS.items():
        figure = plain_figure(xaxis_title="epoch", yaxis_title=title)
        drawn: set[str] = set()
        for column, label in lines.items():
            known = {
                prefix: history[prefix + column]
                for prefix in ("val_", "")
                if _known(history.get(prefix + column, []))
            }
            # The older name of a figure has the newer one's place.
            if not known or label in drawn:
                continue
            colour = PALETTE[LINES[len(drawn)]]
            drawn.add(label)
            for prefix, values in known.items():
                kind = "held out" if prefix else "training"
                single = name == "curve-density"
                figure.add_scatter(
                    x=epochs,
                    y=values,
                    mode="lines+markers" if len(epochs) < 30 else "lines",
                    name=label if single else f"{label}, {kind}",
                    line={"color": colour, "dash": None if prefix else "dot"},
                    marker={"size": 5},
                )
                if single:
                    break
        if not drawn:
            continue
        if ticks:
            figure.update_yaxes(tickformat=ticks)
        if name == "curve-loss":
            figure.update_yaxes(type="log")
        if name == "curve-density":
            figure.update_yaxes(range=[0, 1.03])
        figure.update_layout(yaxis_title=None)
        words = f"{title} by epoch of the training."
        charts.append(Chart(name, figure, words, title=title))
    return charts


def _known(values):
    return any(not math.isnan(value) for value in values)


def compared_chart(
    names: Sequence[str], runs: Mapping[str, Sequence], title: str
) -> Chart:
    """Draws a figure of each class of two runs side by side.

    Args:
        names: list of str, the classes' names.
        runs: dict from a run's name to its figure by class.
        title: str. What is compared.
    """
    figure = plain_figure(yaxis_title=title)
    texts = unique_texts(names)
    for colour, symbol, (run, values) in zip(
        LINES, ("circle", "diamond"), runs.items(), strict=False
    ):
        figure.add_scatter(
            x=texts,
            y=values,
            mode="markers",
            marker={"color": PALETTE[colour], "size": 9, "symbol": symbol},
            name=text_of(run, LONGEST_RUN),
            hovertemplate="%{x}: %{y:.1%}",
        )
    figure.update_yaxes(tickformat=".0%")
    figure.update_xaxes(type="category", tickangle=-60)
    leave_room(figure, columns=texts)
    return Chart("compared", figure, f"{title} of each class in both runs.")


def leave_room(
    figure: go.Figure,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> None:
    """Leaves room for names beside and, slanted, below a figure.

    Plotly's own way tries again and again, and gives up on narrow screens.

    Args:
        figure: plotly figure.
        rows: list of str, texts of its vertical axis.
        columns: list of str, texts of its horizontal axis.
    """
    lengths = [
        max((len(html.unescape(text)) for text in texts), default=0)
        for texts in (rows, columns)
    ]
    if rows:
        figure.update_yaxes(automargin=False)
        figure.update_layout(margin_l=round(16 + WIDTH * lengths[0]))
    if columns:
        figure.update_xaxes(automargin=False)
        figure.update_layout(margin_b=round(22 + 0.87 * WIDTH * lengths[1]))


def plain_figure(**layout: Any) -> go.Figure:
    """Returns an empty figure in the page's manner; takes plotly's layout."""
    figure = go.Figure(layout={"template": "none", **layout})
    figure.update_layout(
        font={"color": PALETTE["ink"], "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        # Above: below it would lie on the axis's title.
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"align": "left"},
    )
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(
            automargin=True,
            gridcolor=PALETTE["grid"],
            linecolor=PALETTE["grid"],
            zeroline=False,
        )
    return figure
