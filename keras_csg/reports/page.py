"""The page itself: one file, which asks the network for nothing."""

import base64
import datetime
import hashlib
import json
from typing import Any

import plotly.offline
from markupsafe import Markup

from keras_csg.models.filter_names import filter_label
from keras_csg.reports.album import LEVELS, Album, Level, fitting_level
from keras_csg.reports.browser import browser_data, filters_of_classes
from keras_csg.reports.card import Card
from keras_csg.reports.charts import PALETTE
from keras_csg.reports.drawings import all_charts, curve_list
from keras_csg.reports.gathering import Gathered
from keras_csg.reports.rendering import asset, html_environment, script_json
from keras_csg.reports.sections import words_of
from keras_csg.reports.sentences import percent
from keras_csg.version import version

LARGEST = 9_900_000
"""Bytes of a page, at most."""
RESERVE = 150_000
"""Of these for what images are wrapped in."""
MOST_LISTED = 40
SECTIONS = {
    "about": "What it is",
    "figures": "Figures",
    "classes": "Classes",
    "confusion": "Confusion",
    "calibration": "Calibration",
    "training": "Training",
    "gate": "Gate",
    "filters": "Filters",
    "ablation": "Ablation",
    "mistakes": "What went wrong",
    "comparison": "Side by side",
    "card": "Model card",
}


def page_text(
    gathered: Gathered, card: Card, *, card_name: str, largest: int = LARGEST
) -> str:
    """Returns the page as HTML.

    Args:
        gathered: `Gathered`.
        card: `Card`.
        card_name: str. What the file of the Markdown card is called.
        largest: int. Bytes that it may have at most; as many images are left
            out, and the others made as small, as that takes.
    """
    context = _context(gathered, card, card_name)
    bare = len(_render(gathered, context, Album(LEVELS[-1])).encode())
    level = fitting_level(gathered, largest - bare - RESERVE)
    for smaller in LEVELS[LEVELS.index(level) :]:
        text = _render(gathered, context, Album(smaller))
        if len(text.encode()) <= largest:
            break
    return text


def _render(gathered, context, album):
    browser = browser_data(gathered, album)
    mistakes = [
        _mistake(gathered, album, mistake)
        for mistake in gathered.mistakes[: album.level.mistakes]
    ]
    data = {
        "charts": context["chart_data"],
        "palette": PALETTE,
        "browser": browser,
        "images": album.addresses,
    }
    script, library = (
        asset("report/report.js.jinja"),
        plotly.offline.get_plotlyjs(),
    )
    # A parser would take it for the element's end.
    library = library.replace("</script", "<\\/script")
    return (
        html_environment()
        .get_template("report/page.html.jinja")
        .render(
            **context,
            mistakes=mistakes,
            left_out=_left_out(gathered, album.level),
            data=script_json(data),
            plotly=Markup(library),
            script=Markup(script),
            script_hashes=Markup(f"{_hash(library)} {_hash(script)}"),
        )
    )


def _context(gathered, card, card_name):
    about, other = gathered.about, gathered.other
    charts = all_charts(gathered)
    curves = curve_list(gathered)
    drawn = {c.name: c for c in (*charts.values(), *curves) if c is not None}
    lists = [
        (
            about.class_names[c],
            ", ".join(map(str, filters[:MOST_LISTED])),
            max(0, len(filters) - MOST_LISTED),
        )
        for c, filters in enumerate(filters_of_classes(gathered))
    ]
    return {
        **words_of(gathered),
        "about": about,
        "other": other,
        "card": card,
        "card_name": card_name,
        "sections": [
            pair
            for pair in SECTIONS.items()
            if other or pair[0] != "comparison"
        ],
        "charts": charts,
        "curves": curves,
        "chart_data": {
            name: json.loads(chart.figure.to_json())
            for name, chart in drawn.items()
        },
        "filter_lists": lists,
        "percent": percent,
        "version": version(),
        "date": datetime.date.today().isoformat(),
        "css": Markup(asset("report/report.css.jinja")),
    }


def _mistake(gathered, album, mistake):
    names, survey = gathered.about.class_names, gathered.survey
    picture = gathered.pictures[mistake.sample]
    private = Album(album.level)  # In the page itself, so that they print.

    def address(key, image):
        return private.addresses[private.add(key, image, larger=2)]

    return {
        "label": names[mistake.label],
        "taken_for": names[mistake.taken_for],
        "confidence": mistake.confidence,
        "probability": mistake.probability,
        "lead": mistake.lead,
        "image": address("image", picture.image),
        "wrong_map": address("wrong", picture.maps[mistake.taken_for]),
        "right_map": address("right", picture.maps[mistake.label]),
        "filters": [
            {
                "number": k,
                "label": filter_label(survey.filter_names, k),
                "class": names[survey.filter_classes[k]],
                "push": push,
            }
            for k, push in mistake.filters
        ],
    }


def _left_out(gathered: Gathered, level: Level) -> str:
    """Says what is not shown so that the page stays small, if anything."""
    images = gathered.survey.top_samples.shape[1]
    told = []
    if level.images < images:
        told.append(
            f"{level.images} of {images} images of each filter are shown"
        )
    most = max(map(len, gathered.heatmaps.values()), default=0)
    if level.heatmaps < most:
        told.append(f"{level.heatmaps} of {most} images of each class")
    if level.side < max((gathered.survey.thumbnails.shape[1:3]), default=0):
        told.append(f"images are at most {level.side} pixels wide")
    return f"So that it stays small, {', '.join(told)}." if told else ""


def _hash(text: Any) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
