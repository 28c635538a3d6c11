import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import metrics

from keras_csg.robustness.detection import detection_figures


def test_figures_of_four_images_can_be_counted():
    figures = detection_figures(np.array([1.0, 3.0]), np.array([2.0, 4.0]))
    assert figures["roc_auc"] == 0.75  # Of four pairs one is the wrong way.
    assert figures["fpr_at_95_tpr"] == 0.5
    assert figures["error"] == 0.25
    assert figures["aupr"] == pytest.approx((1 + 2 / 3) / 2)


def test_figures_of_many_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    known, strange = rng.normal(size=300), rng.normal(1, 2, size=200)
    figures = detection_figures(known, strange)
    labels = np.repeat([0, 1], [300, 200])
    scores = np.concatenate([known, strange])
    assert_allclose(figures["roc_auc"], metrics.roc_auc_score(labels, scores))
    least = np.sort(strange)[10]  # 190 of 200 are at least as high.
    assert figures["fpr_at_95_tpr"] == pytest.approx(np.mean(known >= least))


def test_scores_that_tell_nothing_are_chance():
    figures = detection_figures(np.zeros(10), np.zeros(10))
    assert (figures["roc_auc"], figures["error"]) == (0.5, 0.5)


@pytest.mark.parametrize("known, strange", [([], [1.0]), ([np.nan], [1.0])])
def test_no_figure_is_made_of_nothing(known, strange):
    with pytest.raises(ValueError, match="must hold finite scores"):
        detection_figures(np.array(known), np.array(strange))
