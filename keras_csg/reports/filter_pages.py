"""Pages of a survey of filters: one of all classes, and one of each."""

import pathlib
from collections.abc import Collection
from typing import Any

import numpy as np

from keras_csg.evaluation.filter_survey import FilterSurvey
from keras_csg.evaluation.filter_tables import (
    class_rows,
    filter_rows,
    survey_figures,
)
from keras_csg.metrics.duplicate_filters import DUPLICATE_FROM
from keras_csg.metrics.gates import SHARED_FROM
from keras_csg.models.filter_names import filter_label
from keras_csg.reports.embedding import jpeg_uri
from keras_csg.reports.filter_crops import filter_crops
from keras_csg.reports.rendering import html_environment
from keras_csg.version import version

GENERATOR = "keras-csg filters"
"""What the pages say that they are by: only such are ever replaced."""
MOST_ROWS = 200
"""Rows of a list that is not of filters or classes, at most."""


def write_filter_pages(
    survey: FilterSurvey,
    folder: pathlib.Path,
    *,
    run: str,
    data: str,
    split: str,
    multi_label: bool = False,
    filters: Collection[int] | None = None,
) -> list[str]:
    """Writes `index.html` and a `class-NUMBER.html` for each class.

    They need nothing beside them: images are within, there is no script.

    Args:
        survey: `FilterSurvey`.
        folder: `pathlib.Path`, which is there.
        run: str. What to call the run.
        data: str. What to call the data.
        split: str. The split's name.
        multi_label: bool. Whether an image may have several classes.
        filters: numbers of those to show; `None` for all.

    Returns:
        The names of the files.
    """
    pages = _Pages(survey, filters)
    known = {"run": run, "data": data, "split": split, "several": multi_label}
    for place, row in enumerate(pages.linked):
        text = pages.of_class(row, place, known)
        (folder / row["page"]).write_text(text, encoding="utf-8")
    text = pages.index(known)
    (folder / "index.html").write_text(text, encoding="utf-8")
    return [*(row["page"] for row in pages.linked), "index.html"]


class _Pages:
    """What the pages of one survey have in common."""

    def __init__(self, survey, filters):
        self.survey = survey
        wanted = range(survey.filters) if filters is None else sorted(filters)
        rows = filter_rows(survey, wanted)
        # Of each class those that know most of it first.
        self.filters = sorted(
            rows, key=lambda row: (row["class_number"], -row["information"])
        )
        self.of_label: dict[int, list[dict[str, Any]]] = {}
        for row in self.filters:
            self.of_label.setdefault(row["class_number"], []).append(row)
        self.classes = class_rows(survey)
        narrowed = filters is not None
        self.linked = [
            row
            for row in self.classes
            if row["number"] in self.of_label or not narrowed
        ]
        digits = max(3, len(str(len(self.classes) - 1)))
        for row in self.linked:
            row["page"] = f"class-{row['number']:0{digits}d}.html"
        labels = survey.filter_classes.tolist()
        shown = {row["filter"] for row in self.filters}
        self.common = {
            "version": version(),
            "generator": GENERATOR,
            "figures": survey_figures(survey),
            "narrowed": narrowed,
            "most": MOST_ROWS,
            "duplicate_from": DUPLICATE_FROM,
            "class_of": [survey.class_names[label] for label in labels],
            "label_of": [
                filter_label(survey.filter_names, k) for k in range(len(labels))
            ],
            "page_of": {
                k: self.classes[labels[k]]["page"] for k in sorted(shown)
            },
        }
        self.environment = html_environment()

    def index(self, known):
        """Returns the page of all classes."""
        shown = self.common["page_of"]
        rows = [{"page": None, **self._picture(row)} for row in self.classes]
        return self.environment.get_template("filters/index.html.jinja").render(
            **self.common,
            **known,
            classes=rows,
            filters=self.filters,
            duplicates=[
                pair
                for pair in self.survey.duplicates
                if pair[0] in shown or pair[1] in shown
            ],
        )

    def of_class(self, row, place, known):
        """Returns the page of one class."""
        beside = {
            "before": self.linked[place - 1] if place else None,
            "after": [*self.linked, None][place + 1],
        }
        shown = [
            {**item, "crops": self._crops(item)}
            for item in self.of_label.get(row["number"], [])
        ]
        return self.environment.get_template("filters/class.html.jinja").render(
            **self.common,
            **known,
            **beside,
            row=row,
            shown=shown,
            borrowed=self._borrowed(row["number"]),
        )

    def _picture(self, row):
        """Returns a class with the first image of the filter that knows most.

        As it is: what fires is to be seen on the class's own page.
        """
        for item in self.of_label.get(row["number"], []):
            if item["images"]:
                place = self.survey.thumbnail_of[item["images"][0]]
                return {
                    **row,
                    "image": jpeg_uri(self.survey.thumbnails[place]),
                    "image_of": self.common["label_of"][item["filter"]],
                }
        return {**row, "image": None, "image_of": None}

    def _crops(self, item):
        """Returns what the page of a class shows of a filter's images."""
        return [
            {
                "uri": jpeg_uri(crop.image),
                "side": len(crop.image),
                "sample": crop.sample,
                "label": self._class_name(crop.label),
                "other": crop.label != item["class_number"],
                "alt": self._in_words(crop),
            }
            for crop in filter_crops(self.survey, item["filter"])
        ]

    def _in_words(self, crop):
        name = self._class_name(crop.label)
        of = f" of {name}" if name else ""
        return (
            f"Image {crop.sample}{of}: fires most at the {crop.place}, in "
            f"{crop.share:.0%} of the image, {crop.value:.3g} on average"
        )

    def _class_name(self, label):
        return self.survey.class_names[label] if label >= 0 else ""

    def _borrowed(self, label):
        """Returns the filters of other classes that are open to this one."""
        gate = self.survey.gate_matrix
        if gate is None:
            return []
        others = self.survey.filter_classes != label
        return np.flatnonzero((gate[label] >= SHARED_FROM) & others).tolist()
