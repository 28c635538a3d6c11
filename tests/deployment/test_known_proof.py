"""Proofs of `known`, with answers made up by hand."""

import functools

import numpy as np
import pytest

from tests.deployment import test_proof

SCORES = np.array([0.2, 0.9499, 0.97, 1.0], "float32")
IMAGES = np.arange(4)


def answers(known=(1, 1, 0, 0), shift=0.0, **changes):
    made = {
        "anomaly_score": SCORES + np.float32(shift),
        "known": np.array(known, bool),
    }
    return {k: v for k, v in (made | changes).items() if v is not None}


run = functools.partial(
    test_proof.run, images=IMAGES, told={"known_up_to": 0.95}
)


def test_what_is_known_to_both_is_told():
    proof = run(answers(), answers(shift=3e-5))
    assert proof["known_agreement"] == 1
    assert proof["flagged"] == proof["keras_flagged"] == 0.5
    assert proof["gaps"] == {"anomaly_score": pytest.approx(3e-5, rel=0.1)}


def test_at_the_threshold_it_may_differ():
    proof = run(answers(), answers(known=(1, 0, 0, 0)), tolerance=2e-4)
    assert proof["known_agreement"] == 0.75
    assert (proof["flagged"], proof["keras_flagged"]) == (0.75, 0.5)


@pytest.mark.parametrize(
    "known, message",
    [((1, 0, 0, 0), "0.0001 away"), ((1, 1, 1, 0), "0.02 away")],
)
def test_away_from_it_it_may_not(known, message):
    with pytest.raises(ValueError, match=f"`known` differs .* {message}"):
        run(answers(), answers(known=known), tolerance=5e-5)


def test_without_a_score_it_must_be_the_same():
    known = answers(anomaly_score=None)
    assert run(known, known)["known_agreement"] == 1
    with pytest.raises(ValueError, match="inf away"):
        run(known, answers(known=(1, 0, 0, 0), anomaly_score=None))


def test_a_quantised_file_knows_enough_of_the_same_images():
    given = answers(known=(1, 1, 1, 0), shift=0.1)
    proof = run(answers(), given, "int8", min_agreement=0.75)
    assert proof["known_agreement"] == 0.75
    assert (proof["flagged"], proof["keras_flagged"]) == (0.25, 0.5)
    with pytest.raises(ValueError, match="knows 75.0% .* flags 25.0% and"):
        run(answers(), given, "int8", min_agreement=0.8)


class Contrary:
    """A detector whose threshold is not where its share is."""

    threshold_ = 0.3

    def score_samples(self, features):
        return np.float64(features)

    def ranks(self, scores):
        return scores


def test_the_detectors_own_threshold_counts():
    with_features = answers(features=SCORES)
    with pytest.raises(ValueError, match="`known` differs .* 0.0001 away"):
        run(with_features, answers(), detector=Contrary(), tolerance=5e-5)
