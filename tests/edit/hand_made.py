"""A classifier whose gate and weights are known."""

import numpy as np

from keras_csg import CSGClassifier
from tests.edit.families import with_random_statistics
from tests.tiny import tiny_backbone

NAMES = ["cat", "dog", "owl", "bee"]
# By class (row) and filter: 0 and 1 are the cat's, 2 the dog's with a little
# of the owl, 3 the owl's and the cat's, 4 the bee's, 5 half the bee's.
GATE = np.array(
    [
        [1.0, 1.0, 0.0, 1.0, 0.0, 1.0],
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.3, 0.2, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 0.5],
    ],
    "float32",
)


def classifier(gated=True, **kwargs):
    """A tiny classifier whose gate is `GATE`, with weights at random."""
    model = CSGClassifier(
        with_random_statistics(tiny_backbone()),
        4,
        gated=gated,
        **{"class_names": NAMES, **kwargs},
    )
    rng = np.random.default_rng(0)
    model.head.set_weights([rng.normal(size=(6, 4)), rng.normal(size=4)])
    if gated:
        model.gate.gate_matrix.assign(GATE)
        if model.gate_budget is not None:
            model.gate_budget.scores.assign(GATE * 10)
            model.gate_budget.updates.assign(7)
    return model
