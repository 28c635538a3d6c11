"""Pictures of which filters decided about an image."""

import base64
import html
import io
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_csg.plots.maps import overlay
from keras_csg.plots.names import literal, literal_names
from keras_csg.plots.saving import with_fonts

PANEL = 320
"""Longest side of a panel, in pixels."""
FOR, AGAINST = "inferno", "Blues"
BAR_COLOURS = {True: "#d95f02", False: "#1b9e77"}
FULL_HEAT = 0.25
"""Share of the largest part from which a filter's own map is fully lit."""
STRIP = 0.75
"""Height of the images that fire a filter most, in inches."""
WRAPPED = 150


def explanation_figure(
    explanation: Any,
    index: int,
    galleries: Mapping[int, np.ndarray] | None = None,
) -> Figure:
    """Draws what `keras_csg.explain.Explanation` says of one image.

    A row for the predicted class and one for the other: the picture under the
    class's heatmap, and under what each of its filters adds, warm where that
    is for the class and cold where it is against. Then what they add as bars,
    and what makes the difference between the two classes.

    Args:
        explanation: `keras_csg.explain.Explanation`.
        index: int. Number of the image.
        galleries: dict from filters' numbers to images that fire them most,
            drawn below what each adds; `None` for none.

    Returns:
        `matplotlib.figure.Figure`.
    """
    rows = [explanation.predicted]
    if explanation.other is not None:
        rows.append(explanation.other)
    picture, changed = explanation.pictures[index].no_strip()
    picture = picture.enlarged().within(PANEL)
    height, width = picture.size
    known = explanation.predicted.maps is not None
    columns = 1 + explanation.predicted.filters.shape[1] if known else 2
    side = 2.0 * height / width
    words = _wrapped(explanation.sentences(index) + explanation.limits)
    if changed:
        words.append(f"The picture is {changed}.")
    above = 0.18 * len(words) + 0.2
    strip = STRIP if known and galleries else 0.0
    heights = [len(rows) * (min(4.0, side) + 0.6 + strip), 2.2]
    figure = Figure(
        figsize=(2.1 * columns, above + sum(heights)), layout="constrained"
    )
    figure.suptitle(
        "\n".join(map(literal, words)), x=0.01, ha="left", fontsize=9
    )
    # Two figures, so that names of bars do not push the pictures apart.
    halves: Any = figure.subfigures(2, 1, height_ratios=heights)
    upper, lower = halves
    scale = _largest(explanation, rows, index)
    lines = 2 if strip else 1  # Of panels for each class.
    panels = upper.subplots(
        lines * len(rows),
        columns,
        squeeze=False,
        height_ratios=[side, strip][:lines] * len(rows),
    )
    for number, evidence in enumerate(rows):
        line = panels[number * lines]
        _draw_class(line, explanation, evidence, index, picture, scale)
        if strip:
            _draw_galleries(
                panels[number * lines + 1],
                evidence.filters[index],
                galleries or {},
            )
    bars = [explanation.predicted]
    if explanation.contrast is not None:
        bars.append(explanation.contrast)
    below = lower.subplots(1, len(bars), squeeze=False)
    for evidence, panel in zip(bars, below[0], strict=True):
        _draw_bars(panel, explanation, evidence, index)
    return with_fonts(figure)


def explanation_html(explanation: Any, shown: Iterable[int], left: int) -> str:
    """Returns an explanation as HTML, pictures within.

    Args:
        explanation: `keras_csg.explain.Explanation`.
        shown: ints: the images to show.
        left: int. Number of images that are not.
    """
    parts = []
    for index in shown:
        stream = io.BytesIO()
        explanation_figure(explanation, index).savefig(stream, dpi=90)
        data = base64.b64encode(stream.getvalue()).decode("ascii")
        words = html.escape(" ".join(explanation.sentences(index)), quote=True)
        name = html.escape(explanation.pictures[index].name)
        parts.append(
            f"<figure><figcaption>{name}</figcaption>"
            f'<img alt="{words}" src="data:image/png;base64,{data}">'
            "</figure>"
        )
    if left:
        parts.append(f"<p>and {left} more: <code>plot(index)</code></p>")
    return "\n".join(parts)


def _largest(explanation, rows, index):
    """Returns one scale for the maps of both classes: heat and parts."""
    peaks = [1.0]
    if explanation.predicted.peaks is not None:
        peaks = [evidence.peaks[index] for evidence in rows]
    parts = [
        np.abs(evidence.maps[index]).max()
        for evidence in rows
        if evidence.maps is not None
    ]
    return max(peaks) or 1.0, max(parts, default=0) or 1.0


def _draw_class(panels, explanation, evidence, index, picture, scale):
    for panel in panels:
        panel.set_axis_off()
    number = evidence.classes[index]
    (name,) = literal_names([explanation.class_names[number]])
    share = explanation.probabilities[index, number]
    heat = picture.pixels
    if evidence.heatmap is not None:
        peak = 1.0 if evidence.peaks is None else evidence.peaks[index]
        heatmap = evidence.heatmap[index] * (peak / scale[0])
        heat = overlay(picture.pixels, picture.spread(heatmap))
    panels[0].imshow(heat)
    panels[0].set_title(f"{name}\n{share:.1%}", fontsize=9, weight="bold")
    if evidence.maps is None:
        panels[1].imshow(picture.pixels)
        panels[1].set_title("the image\n", fontsize=9)
        return
    for place, panel in enumerate(panels[1:]):
        part = evidence.maps[index, place]
        # What adds little still shows where; how much is in the title.
        most = max(np.abs(part).max(), scale[1] * FULL_HEAT)
        part = picture.spread(part / most)
        adds = evidence.contributions[index, evidence.filters[index, place]]
        colours, sign = (FOR, 1) if adds >= 0 else (AGAINST, -1)
        panel.imshow(overlay(picture.pixels, sign * part, colours))
        panel.set_title(_title(explanation, evidence, index, place), fontsize=8)


def _draw_galleries(panels, filters, galleries):
    """Draws the images that fire each filter most, side by side."""
    for panel in panels:
        panel.set_axis_off()
    panels[0].text(
        1, 0.5, "what fires\neach most", ha="right", va="center", fontsize=8
    )
    for panel, number in zip(panels[1:], filters, strict=True):
        images = galleries.get(int(number))
        if images is not None and len(images):
            panel.imshow(np.concatenate(images, axis=1))


def _title(explanation, evidence, index, place):
    number = int(evidence.filters[index, place])
    lines = [explanation.filter_label(number)]
    owner = explanation.owner(number)
    lines = literal_names(lines if owner is None else [*lines, f"of {owner}"])
    lines[-1] += f", {evidence.contributions[index, number]:+.2f}"
    removal = explanation.without
    if evidence is explanation.predicted and removal is not None:
        then = removal.classes[index, place]
        left = removal.probabilities[index, place]
        text = f"without it {left:.1%}"
        if then != evidence.classes[index]:
            text = f"without it {explanation.class_names[then]}"
        lines += literal_names([text])
    return "\n".join(lines)


def _draw_bars(panel, explanation, evidence, index):
    filters = evidence.filters[index]
    values = evidence.contributions[index, filters]
    name = explanation.class_names[evidence.classes[index]]
    owners = [explanation.owner(k) for k in filters]
    panel.barh(
        range(len(filters)),
        values,
        color=[BAR_COLOURS[owner in (name, None)] for owner in owners],
    )
    labels = [
        ", ".join(filter(None, [explanation.filter_label(k), owner]))
        for k, owner in zip(filters, owners, strict=True)
    ]
    panel.set_yticks(range(len(filters)), literal_names(labels), fontsize=7)
    panel.tick_params(axis="x", labelsize=7)
    panel.invert_yaxis()
    panel.axvline(0, color="black", linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_title(_bar_title(explanation, evidence, index), fontsize=8)


def _bar_title(explanation, evidence, index):
    names = explanation.class_names
    name = names[explanation.predicted.classes[index]]
    if evidence is explanation.contrast:
        other = names[explanation.other.classes[index]]
        text = f"Why {name}, not {other}: difference of logits"
    elif explanation.standard_logits:
        text = f"What filters add to the logit of {name}"
    else:
        text = f"What filters add to the evidence for {name}"
    return literal(f"{text}\n{_rest(explanation, evidence, index)}")


def _rest(explanation, evidence, index):
    """Says what the filters add that have no bar: the class's, all others."""
    parts = evidence.contributions[index].copy()
    parts[evidence.filters[index]] = 0
    if explanation.filter_classes is None:
        return f"all other filters {parts.sum():+.2f}"
    own = explanation.filter_classes == evidence.classes[index]
    name = explanation.class_names[evidence.classes[index]]
    return (
        f"the other filters of {name} {parts[own].sum():+.2f}, "
        f"of other classes {parts[~own].sum():+.2f}"
    )


def _wrapped(sentences):
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, WRAPPED)
    ]
