"""The scores there are, by name."""

import keras_csg.robustness.detection.combined_scores as combined_scores
import keras_csg.robustness.detection.density_scores as density_scores
import keras_csg.robustness.detection.forest_score as forest_score
import keras_csg.robustness.detection.gate_scores as gate_scores
import keras_csg.robustness.detection.logit_scores as logit_scores
import keras_csg.robustness.detection.reshaped_scores as reshaped_scores
from keras_csg.printable import did_you_mean
from keras_csg.robustness.detection.score import Score

DEFAULT = "surprise"
MODULES = (
    combined_scores,
    gate_scores,
    logit_scores,
    reshaped_scores,
    density_scores,
    forest_score,
)
SCORES: dict[str, type[Score]] = {
    score.name: score for module in MODULES for score in module.SCORES
}


def list_scores() -> list[str]:
    """Returns the names of all scores, the default first."""
    return list(SCORES)


def exportable_scores() -> list[str]:
    """Returns the names of the scores that can live in an exported graph."""
    return [name for name, score in SCORES.items() if score.exportable]


def find_score(name: str) -> Score:
    """Returns a score by its name.

    Raises:
        ValueError: if there is none of that name, with the nearest ones.
    """
    if isinstance(name, str) and name in SCORES:
        return SCORES[name]()
    known = ", ".join(SCORES)
    raise ValueError(
        f"`score` must be one of {known}"
        + did_you_mean(name, SCORES)
        + f"Received: score={name!r}"
    )
