"""The parts of the page as HTML. Jinja2 escapes all that comes from data."""

import functools
from typing import Any

import jinja2
import numpy as np

from keras_csg.explain.sentences import PRESENT
from keras_csg.interactive.workbench import Answer, Workbench
from keras_csg.plots.maps import overlay
from keras_csg.reports.embedding import jpeg_uri
from keras_csg.reports.filter_crops import filter_crops
from keras_csg.reports.rendering import html_text

CLASSES = 5
"""Classes whose probabilities are shown, the likeliest."""
CROPS = 6
"""Images that fire a filter most, of each filter."""
PANEL = 256
"""Longest side of a filter's map, in pixels."""
FOR, AGAINST = "inferno", "Blues"


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("keras_csg.interactive"),
        autoescape=True,
        finalize=html_text,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(template: str, /, **values: Any) -> str:
    """Returns a template as HTML.

    Args:
        template: str. Its file's name before `.html.jinja`.
        **values: what it shows.
    """
    return _templates().get_template(f"{template}.html.jinja").render(**values)


def style() -> str:
    """Returns the style sheet of these parts."""
    return _templates().get_template("style.css.jinja").render()


def heading(bench: Workbench) -> str:
    """Returns what stands at the head of the page."""
    model = bench.model
    return rendered(
        "heading",
        name=bench.name,
        classes=model.num_classes,
        filters=model.filters,
        gated=model.gated,
        notes=bench.notes,
    )


def message(text: str) -> str:
    """Returns why there is nothing to show."""
    return rendered("message", text=text)


def answers(bench: Workbench, answer: Answer) -> str:
    """Returns what is predicted, now and with all filters."""
    now, whole = answer.now, answer.whole
    words = now.sentences(0)
    shown = _likeliest(answer)
    specific = now.class_specific_probabilities
    rows = [
        {
            "name": bench.class_names[number],
            "now": float(now.probabilities[0, number]),
            "before": float(whole.probabilities[0, number]),
            "specific": None
            if specific is None
            else float(specific[0, number]),
            "first": _is_answer(now, number),
        }
        for number in shown
    ]
    return rendered(
        "answers",
        headline=words[0],
        sentences=words[1:],
        rows=rows,
        changed=bool(answer.look.off),
        before=whole.sentences(0)[0],
        multi_label=now.multi_label,
        gated=specific is not None,
    )


def now(answer: Answer) -> str:
    """Returns the answer in a line, which stays in sight above the filters."""
    return rendered(
        "now",
        headline=answer.now.sentences(0)[0],
        before=answer.whole.sentences(0)[0],
        changed=bool(answer.look.off),
    )


def heatmap(bench: Workbench, answer: Answer) -> str:
    """Returns the picture under the heatmap of the shown class."""
    picture = answer.now.pictures[0]
    heat, whole = answer.heat, answer.evidence
    # By the peak with all filters on, so that what is switched off shows.
    peak = max(float(whole.peaks[0]), float(heat.peaks[0])) or 1.0
    values = heat.heatmap[0] * (heat.peaks[0] / peak)
    pixels = overlay(picture.pixels, picture.spread(values))
    name = bench.class_names[answer.look.shown]
    return rendered(
        "heatmap",
        uri=jpeg_uri(pixels),
        name=name,
        size=pixels.shape[1::-1],
        empty=not heat.peaks[0] > 0,
        cut=np.isnan(picture.spread(values)).any(),
    )


def card(bench: Workbench, answer: Answer, place: int) -> str:
    """Returns one of the shown filters: what it adds, where, and to whom.

    Args:
        bench: `Workbench`.
        answer: `Answer`.
        place: int. Number among the shown filters.
    """
    number = answer.look.filters[place]
    evidence = answer.evidence
    adds = float(evidence.contributions[0, number])
    largest = np.abs(evidence.contributions[0]).max() or 1.0
    owner = bench.filter_classes[number]
    gate = answer.whole.gate_matrix
    return rendered(
        "card",
        adds=adds,
        share=abs(adds) / largest,
        owner=bench.class_names[owner],
        own=bool(bench.own[answer.look.shown, number]),
        gated=gate is not None,
        gate=None if gate is None else float(gate[answer.look.shown, number]),
        name=bench.class_names[answer.look.shown],
        off=number in answer.look.off,
        uri=_map_uri(answer, place),
        surveyed=bench.survey is not None,
        crops=_crops(bench, number),
        dead=bench.survey is not None and bool(bench.survey.dead[number]),
    )


def check_label(bench: Workbench, answer: Answer, place: int) -> str:
    """Returns the words beside a filter's check box, as plain text."""
    number = answer.look.filters[place]
    adds = answer.evidence.contributions[0, number]
    return f"{bench.filter_label(number)}: {adds:+.2f}"


def _likeliest(answer):
    now = answer.now.probabilities[0]
    order = np.argsort(-now, kind="stable")[:CLASSES].tolist()
    wanted = (int(answer.whole.predicted.classes[0]), answer.look.shown)
    for number in wanted:
        if number not in order:
            order.append(number)
    return order


def _is_answer(now, number):
    if now.multi_label:
        return bool(now.probabilities[0, number] >= PRESENT)
    return bool(now.predicted.classes[0] == number)


def _map_uri(answer, place):
    evidence = answer.evidence
    number = answer.look.filters[place]
    picture = answer.now.pictures[0].within(PANEL)
    against = evidence.contributions[0, number] < 0
    # By its own peak: how much it is says the bar, this says where.
    values = evidence.maps[0, place] * (-1 if against else 1)
    values = values / (values.max() if values.max() > 0 else 1.0)
    pixels = overlay(
        picture.pixels, picture.spread(values), AGAINST if against else FOR
    )
    return jpeg_uri(pixels)


def _crops(bench, number):
    if bench.survey is None:
        return []
    if number not in bench.crops:
        names = bench.survey.class_names
        bench.crops[number] = [
            {
                "uri": jpeg_uri(crop.image, 80),
                "name": names[crop.label] if crop.label >= 0 else "no class",
                "own": crop.label == bench.filter_classes[number],
            }
            for crop in filter_crops(bench.survey, number, CROPS)
        ]
    return bench.crops[number]
