"""The parts of the page, with names that would be more than names."""

import base64
import io
import re

import keras
import numpy as np
import pytest
from PIL import Image

from keras_csg import CSGClassifier
from keras_csg.evaluation import survey_filters
from keras_csg.interactive import markup
from keras_csg.interactive.workbench import Workbench
from tests.interactive.pages import NAMES, hand_made, picture_at


def parts_of(bench, look):
    answer = bench.answer(look)
    return [
        markup.heading(bench),
        markup.answers(bench, answer),
        markup.now(answer),
        markup.heatmap(bench, answer),
        *(markup.card(bench, answer, n) for n in range(len(look.filters))),
    ]


def pictures_in(html):
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        for data in re.findall(r"data:image/jpeg;base64,([^\"]+)", html)
    ]


@pytest.fixture
def look_at(tmp_path):
    def open_(bench, size=(12, 4)):
        return bench.open(picture_at(tmp_path / "green.png", size))

    return open_


def test_names_stay_names(look_at):
    bench = hand_made(notes=["<script>note</script>"])
    bench.name = "<script>run</script>"
    bench.model.filter_names = {1: "<script>fur</script>"}
    look = bench.switch(look_at(bench), [1])
    html = "".join([*parts_of(bench, look), markup.message(NAMES[0])])
    assert "<script" not in html and "<img src=x" not in html
    for word in ("cat", "note", "run", "fur"):
        assert f"&lt;script&gt;{word}" in html


def test_probabilities_stand_there_before_and_after(look_at):
    bench = hand_made(names=["cat", "dog"])
    html = markup.answers(bench, bench.answer(look_at(bench)))
    assert "dog, 100.0%." in html and "With all filters" not in html
    look = bench.switch(look_at(bench), [1])
    html = markup.answers(bench, bench.answer(look))
    assert "Without filter 1: cat, 100.0%." in html
    assert "With all filters: dog, 100.0%." in html


def test_the_heatmap_has_the_pictures_aspect(look_at):
    bench = hand_made()
    look = look_at(bench, (60, 20))
    (pixels,) = pictures_in(markup.heatmap(bench, bench.answer(look)))
    assert pixels.shape == (213, 640, 3)


def test_without_the_filters_of_a_class_its_heatmap_is_empty(look_at):
    bench = hand_made(names=["cat", "dog"])
    look = bench.switch(look_at(bench), [0, 1, 2])
    assert "Nothing speaks for dog" in markup.heatmap(bench, bench.answer(look))


def test_a_card_says_what_a_filter_adds_and_whose_it_is(look_at):
    bench = hand_made(names=["cat", "dog"])
    look = look_at(bench)
    answer = bench.answer(look)
    place = look.filters.index(1)
    card = markup.card(bench, answer, place)
    assert "Adds +400.00 to dog, whose own it is." in card
    assert markup.check_label(bench, answer, place).startswith(
        "filter 1 of dog: +"
    )
    off = bench.answer(bench.switch(look, [1]))
    assert "Switched off. It would add +400.00" in markup.card(
        bench, off, place
    )
    shut = markup.card(bench, answer, look.filters.index(0))
    assert "gate is shut" in shut


def test_a_filter_has_the_images_that_fire_it_most(look_at):
    bench = hand_made(names=["cat", "dog"])
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (8, 4, 4, 3)).astype("float32")
    bench.survey = survey_filters(
        bench.model, [(images, np.arange(8) % 2)], images_per_filter=3
    )
    look = look_at(bench)
    card = markup.card(bench, bench.answer(look), 0)
    assert len(pictures_in(card)) == 1 + 3
    assert "An image of cat" in card or "An image of dog" in card


def test_without_a_gate_there_is_no_second_head(look_at):
    bench = hand_made(gated=False)
    heading, answers, *_ = parts_of(bench, look_at(bench))
    assert "no gate" in heading
    assert "own filters alone" not in answers


def test_several_classes_an_image_are_present_each_by_itself(look_at):
    images = keras.Input((4, 4, 3))
    maps = keras.layers.Conv2D(3, 1, use_bias=False)(images)
    model = CSGClassifier(
        keras.Model(images, maps), 3, multi_label=True, class_names=[*"abc"]
    )
    model.backbone.layers[-1].set_weights([np.eye(3)[None, None]])
    model.head.set_weights([np.diag([1.0, 1.0, -1.0]), np.zeros(3)])
    bench = Workbench(model, "a run")
    look = look_at(bench)
    html = markup.answers(bench, bench.answer(look))
    assert html.count("<small>present</small>") == 2
    assert "Present: a (100.0%), b (100.0%)" in html
