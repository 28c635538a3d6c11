"""The page: what stands where, and what follows when something is touched.

The only module that imports Gradio.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import gradio as gr

import keras_csg.interactive.markup as markup
from keras_csg.interactive.workbench import FILTERS, Look, Workbench
from keras_csg.printable import printable

SLOTS = FILTERS
COLUMNS = 2
FORGOTTEN = 3600
"""Seconds after which a visitor's picture is forgotten."""
OPTIONS: dict[str, Any] = {
    "api_visibility": "private",
    # One after the other: each starts from what the last one left.
    "concurrency_limit": 1,
    "concurrency_id": "look",
}


class Page:
    """The page of a run.

    Args:
        bench: `Workbench`.
        examples: paths of pictures to begin with.

    Attributes:
        blocks: `gradio.Blocks`.
    """

    def __init__(
        self, bench: Workbench, examples: Sequence[pathlib.Path] = ()
    ) -> None:
        self._bench = bench
        with gr.Blocks(
            title=f"keras-csg: {bench.name}",
            analytics_enabled=False,
            delete_cache=(FORGOTTEN // 4, FORGOTTEN),
        ) as self.blocks:
            self._hint = markup.rendered("hint", examples=bool(examples))
            self._look = gr.State(time_to_live=FORGOTTEN)
            gr.HTML(markup.heading(bench))
            self._lay_out(examples)
            self._listen()

    def _lay_out(self, examples):
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self._picture = gr.Image(
                    label="Picture",
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "webcam", "clipboard"],
                    buttons=["fullscreen"],
                    height=300,
                    elem_id="csg-picture",
                )
                if examples:
                    gr.Examples(
                        [[str(path)] for path in examples],
                        [self._picture],
                        label="From the test split",
                        cache_examples=False,
                        api_visibility="private",
                    )
            with gr.Column(scale=3, min_width=320):
                self._message = gr.HTML(self._hint, elem_id="csg-message")
                self._answers = gr.HTML(elem_id="csg-answers")
        with gr.Column(visible=False) as self._details:
            with gr.Row():
                with gr.Column(scale=2, min_width=300):
                    self._heatmap = gr.HTML(elem_id="csg-heatmap")
                with gr.Column(scale=3, min_width=320):
                    self._controls()
            self._now = gr.HTML(elem_id="csg-now")
            self._slots()

    def _controls(self):
        bench = self._bench
        self._class = gr.Dropdown(
            [(printable(x), n) for n, x in enumerate(bench.class_names)],
            label="Class to look at: why, or why not",
            elem_id="csg-class",
        )
        self._off = gr.Dropdown(
            [(bench.filter_label(n), n) for n in range(bench.model.filters)],
            multiselect=True,
            label="Switched off",
            elem_id="csg-off",
        )
        with gr.Row():
            self._none = gr.Button("All filters of this class off", size="sm")
            self._all = gr.Button("All on", size="sm")

    def _slots(self):
        self._boxes, self._cards, self._panels = [], [], []
        for start in range(0, SLOTS, COLUMNS):
            with gr.Row(equal_height=False):
                for _ in range(start, min(start + COLUMNS, SLOTS)):
                    self._slot()

    def _slot(self):
        with gr.Column(min_width=320, visible=False) as panel, gr.Group():
            self._boxes.append(
                gr.Checkbox(
                    value=True,
                    interactive=True,
                    container=True,
                    elem_classes="csg-box",
                )
            )
            self._cards.append(gr.HTML(elem_classes="csg-cell"))
        self._panels.append(panel)

    def _listen(self):
        shown = [
            self._look,
            self._message,
            self._answers,
            self._details,
            self._heatmap,
            self._now,
            self._class,
            self._off,
            *self._panels,
            *self._boxes,
            *self._cards,
        ]
        switching = {"show_progress": "hidden", **OPTIONS}
        # As it came: the file is opened here, where it can be refused.
        self._picture.change(
            self._open,
            [self._picture],
            shown,
            preprocess=False,
            show_progress="minimal",
            **OPTIONS,
        )
        for box in self._boxes:
            box.input(
                self._switch, [self._look, *self._boxes], shown, **switching
            )
        for chosen, take in (
            (self._class, self._look_for),
            (self._off, self._switch_off),
        ):
            chosen.input(take, [self._look, chosen], shown, **switching)
        for button, take in (
            (self._none, self._without_own),
            (self._all, self._all_on),
        ):
            button.click(take, [self._look], shown, **switching)

    def _open(self, payload):
        if not payload:
            return self._nothing("")
        try:
            name = payload.get("orig_name") or "The picture"
            look = self._bench.open(payload.get("path") or "", name)
        except ValueError as error:
            return self._nothing(str(error))
        return self._all_of(look)

    def _switch(self, look, *boxes):
        if look is None:
            return self._nothing("")
        off = {*look.off} - {*look.filters}
        off |= {n for n, on in zip(look.filters, boxes, strict=False) if not on}
        return self._all_of(self._bench.switch(look, off))

    def _switch_off(self, look: Look | None, numbers):
        if look is None:
            return self._nothing("")
        return self._all_of(self._bench.switch(look, numbers or ()))

    def _look_for(self, look: Look | None, number):
        if look is None or number is None:
            return self._nothing("")
        return self._all_of(self._bench.look_for(look, int(number)))

    def _without_own(self, look: Look | None):
        if look is None:
            return self._nothing("")
        return self._all_of(self._bench.without_own(look))

    def _all_on(self, look: Look | None):
        return self._switch_off(look, ())

    def _nothing(self, text):
        return {
            self._look: None,
            self._message: markup.message(text) or self._hint,
            self._answers: "",
            self._details: gr.update(visible=False),
        }

    def _all_of(self, look):
        bench = self._bench
        answer = bench.answer(look)
        values = {
            self._look: look,
            self._message: "",
            self._answers: markup.answers(bench, answer),
            self._details: gr.update(visible=True),
            self._heatmap: markup.heatmap(bench, answer),
            self._now: markup.now(answer),
            self._class: look.shown,
            self._off: list(look.off),
        }
        for place in range(SLOTS):
            values |= self._slot_of(answer, place)
        return values

    def _slot_of(self, answer, place):
        look = answer.look
        if place >= len(look.filters):
            return {self._panels[place]: gr.update(visible=False)}
        return {
            self._panels[place]: gr.update(visible=True),
            self._boxes[place]: gr.update(
                label=markup.check_label(self._bench, answer, place),
                value=look.filters[place] not in look.off,
            ),
            self._cards[place]: markup.card(self._bench, answer, place),
        }


def theme() -> gr.themes.Base:
    """Returns a theme with the fonts that a machine has: none is fetched."""
    return gr.themes.Default(
        primary_hue="orange",
        neutral_hue="stone",
        font=("system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
    ).set(  # An empty box is to be seen on a dark ground, too.
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
    )
