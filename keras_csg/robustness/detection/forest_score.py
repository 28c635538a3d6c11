import numpy as np

from keras_csg.metrics.head import Head
from keras_csg.robustness.detection.score import Answers, Constants, Score

TREES = 100
LEAF = -1
BLOCK = 1024


class RandomForest(Score):
    """The paper's detector: a random forest on the features.

    It needs attacked images, or others that are strange, to learn from, and is
    kept as the arrays of its trees.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 5
    """

    name = "forest"
    about = "the paper's random forest on the features; needs unknown images"
    exportable = False
    needs_unknown = True

    def fit_with_unknown(
        self,
        known: np.ndarray,
        held_back: np.ndarray,
        unknown: np.ndarray,
        head: Head,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Learns to tell unknown images' features from clean ones'."""
        from sklearn.ensemble import RandomForestClassifier

        features = np.concatenate([known, unknown])
        labels = np.repeat([0, 1], [len(known), len(unknown)])
        forest = RandomForestClassifier(
            TREES,
            min_samples_leaf=3,
            class_weight="balanced",
            random_state=seed,
        ).fit(features, labels)
        return _arrays(forest)

    def __call__(self, constants: Constants, answers: Answers) -> np.ndarray:
        """Returns the trees' mean probability that a sample is strange."""
        features = np.asarray(answers.features, "float32")
        return np.concatenate(
            [
                _probabilities(constants, features[start : start + BLOCK])
                for start in range(0, len(features), BLOCK)
            ]
        )


def _arrays(forest):
    """Returns all trees one after the other, in arrays of their nodes."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    moved = {
        name: [
            np.where(getattr(tree, name) == LEAF, LEAF, getattr(tree, name) + s)
            for tree, s in zip(trees, starts, strict=True)
        ]
        for name in ("children_left", "children_right")
    }
    values = [tree.value[:, 0, :] for tree in trees]
    return {
        "roots": starts.astype("int32"),
        "left": np.concatenate(moved["children_left"]).astype("int32"),
        "right": np.concatenate(moved["children_right"]).astype("int32"),
        "filter": np.concatenate([t.feature for t in trees]).astype("int32"),
        "threshold": np.concatenate([t.threshold for t in trees]),
        "strange": np.concatenate([v[:, 1] / v.sum(axis=1) for v in values]),
    }


def _probabilities(constants, features):
    """Goes down all trees at once."""
    nodes = np.tile(constants["roots"], (len(features), 1))
    rows = np.arange(len(features))[:, None]
    while True:
        inner = constants["left"][nodes] != LEAF
        if not inner.any():
            return constants["strange"][nodes].mean(axis=1)
        split = np.where(inner, constants["filter"][nodes], 0)
        goes_left = features[rows, split] <= constants["threshold"][nodes]
        below = np.where(
            goes_left, constants["left"][nodes], constants["right"][nodes]
        )
        nodes = np.where(inner, below, nodes)


SCORES = (RandomForest,)
