"""What the page shows, against explanations and sums by hand."""

from unittest import mock

import numpy as np
import pytest

from keras_csg.explain import explain
from tests.explain.hand_made import GATE, HEAD
from tests.interactive.pages import hand_made, picture_at

AVERAGES = np.array([40.0, 200.0, 10.0])


@pytest.fixture
def bench():
    return hand_made()


@pytest.fixture
def look(bench, tmp_path):
    return bench.open(picture_at(tmp_path / "green.png"))


def test_a_picture_is_looked_at_for_the_class_that_is_predicted(bench, look):
    assert (AVERAGES @ HEAD).argmax() == look.shown == 1
    assert look.off == ()
    parts = AVERAGES * HEAD[:, 1]
    assert look.filters == tuple(np.argsort(-np.abs(parts), kind="stable"))


def test_with_all_filters_on_it_is_the_explanation(bench, look, tmp_path):
    answer = bench.answer(look)
    found = explain(bench.model, tmp_path / "green.png", 1)
    assert answer.now is answer.whole
    np.testing.assert_array_equal(answer.now.probabilities, found.probabilities)
    assert answer.now.sentences(0) == found.sentences(0)


def test_a_filter_that_is_off_changes_the_answer_and_not_the_rest(bench, look):
    answer = bench.answer(bench.switch(look, [1]))
    left = AVERAGES * [1, 0, 1] @ HEAD
    assert answer.now.predicted.classes == [left.argmax()] == [0]
    assert answer.now.sentences(0)[0].startswith("Without filter 1: ")
    np.testing.assert_array_equal(
        answer.evidence.contributions[0], AVERAGES * HEAD[:, 1]
    )
    assert answer.heat.contributions[0, 1] == 0
    assert bench.answer(look).now.predicted.classes == [1]


def test_the_backbone_runs_once_for_a_picture(bench, look):
    with mock.patch.object(bench.model.backbone, "predict_on_batch", None):
        for change in (
            bench.switch(look, [0, 2]),
            bench.look_for(look, 0),
            bench.without_own(look),
        ):
            bench.answer(change)


def test_all_filters_of_the_shown_class_go_off_beside_others(bench, look):
    off = bench.without_own(bench.switch(look, [0])).off
    assert off == (0, *np.flatnonzero(GATE[1] == 1))


def test_another_class_keeps_what_is_off(bench, look):
    other = bench.look_for(bench.switch(look, [1]), 0)
    assert other.shown == 0 and other.off == (1,)
    answer = bench.answer(other)
    assert answer.evidence.classes == answer.heat.classes == [0]


def test_without_a_gate_a_filter_is_of_the_class_it_weighs_most_for(tmp_path):
    bench = hand_made(gated=False)
    look = bench.open(picture_at(tmp_path / "green.png"))
    assert bench.without_own(look).off == (1, 2)
    words = bench.answer(look).now.sentences(0)
    assert any("no gate" in text for text in words)


def test_large_pictures_are_kept_small(bench, tmp_path):
    look = bench.open(picture_at(tmp_path / "wide.png", (3000, 1000)))
    assert look.seen.pictures[0].size == (213, 640)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n1"])
def test_what_is_no_picture_is_refused_without_its_path(
    bench, tmp_path, content
):
    (tmp_path / "photo.png").write_bytes(content)
    with pytest.raises(ValueError, match="my.png cannot be read") as error:
        bench.open(tmp_path / "photo.png", "my.png")
    assert str(tmp_path) not in str(error.value)


def test_a_cut_off_picture_is_refused(bench, tmp_path):
    path = picture_at(tmp_path / "green.png", (300, 300))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="cannot be read"):
        bench.open(path)


def test_a_picture_that_is_gone_is_refused(bench, tmp_path):
    with pytest.raises(ValueError, match="it is gone"):
        bench.open(tmp_path / "none.png")


def test_filters_are_called_by_a_persons_words(bench):
    bench.model.filter_names = {1: "fur"}
    assert bench.filter_label(1) == f"filter 1 (fur) of {bench.class_names[1]}"
