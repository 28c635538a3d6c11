import os
from typing import Any, Self

import numpy as np

from keras_csg.arguments import whole_number
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.detection.curves import fit_rank
from keras_csg.robustness.detection.extractor import Extractor
from keras_csg.robustness.detection.fitted import FittedDetector
from keras_csg.robustness.detection.registry import DEFAULT, find_score
from keras_csg.robustness.detection.score import with_gate
from keras_csg.robustness.detection.storing import (
    Stored,
    read_detector,
    write_detector,
)
from keras_csg.robustness.detection.thresholds import (
    check_enough,
    check_learned,
    checked_rate,
    threshold_of,
)

KNOWN, UNKNOWN = 1, -1


class AnomalyDetector(FittedDetector):
    """Says which images a classifier does not know.

    It goes by what the classifier computes anyway, in one pass: its features
    and its heads' logits. It is fitted on clean images, which need no labels,
    and flags an image that is stranger than all but `false_alarm_rate` of
    those. Names and signs are those of scikit-learn's outlier detectors:
    `predict` gives 1 for known and -1 for unknown, and `decision_function` is
    negative for unknown. Only `score_samples` is the other way around, as in
    the literature: the higher, the stranger.

    On a classifier without a gate it is the baseline: the class of a filter
    is then that of its largest weight in the head.

    Args:
        score: str. One of `list_scores()`.
        false_alarm_rate: float in (0, 0.5]. Share of clean images that may be
            flagged. One in `1 / false_alarm_rate` images held back is the
            least that it can be found from.
        seed: int. Of scores that learn at random.
        batch_size: int. Images at a time.

    Attributes:
        threshold_: float. Stranger is what scores higher.
        head_: `Head` of the classifier that it was fitted on.
        constants_: dict of arrays: what the score has learned.
        rank_: array: the curve behind `anomaly_scores`.
        calibrated_on_: int. Clean images that the threshold was found from;
            `None` of a detector that was saved before it was kept.

    Example:
        >>> detector = AnomalyDetector()  # doctest: +SKIP
        >>> detector.fit(model, images).predict(others)  # doctest: +SKIP
        array([ 1, -1])

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 5
    """

    def __init__(
        self,
        score: str = DEFAULT,
        false_alarm_rate: float = 0.05,
        *,
        seed: int = 0,
        batch_size: int = 128,
    ):
        find_score(score)
        self.score = score
        self.false_alarm_rate = checked_rate(false_alarm_rate)
        self.seed = whole_number("seed", seed, 0)
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self._extractor: Extractor | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        names = ("score", "false_alarm_rate", "seed", "batch_size")
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Changes arguments; counts from the next `fit` on."""
        checked = type(self)(**{**self.get_params(), **params})
        for name, value in checked.get_params().items():
            setattr(self, name, value)
        return self

    def fit(
        self,
        model: CSGClassifier | Any,
        images: Any,
        *,
        unknown: Any = None,
        calibration: Any = None,
    ) -> Self:
        """Learns what clean images look like to a classifier.

        Args:
            model: `CSGClassifier`, or a run of one.
            images: clean images of the known classes: array `(samples,
                height, width, 3)`, RGB in 0..255, or an iterable of such
                batches; or their features, `(samples, filters)`. Best those
                that the classifier was trained on.
            unknown: the same, of images that are not of the classes, for
                scores that learn from such; `None` for the others.
            calibration: clean images that the classifier was not trained on,
                which the threshold is found from. `None` holds back every
                second one of `images`.

        Returns:
            The detector.

        Raises:
            ValueError: if the images are not as described or too few for the
                rate of false alarms, a score that needs unknown images has
                none, or images may have several classes.
        """
        score = find_score(self.score)
        if score.needs_unknown and unknown is None:
            raise ValueError(
                f"The score {self.score!r} learns from images that are not of "
                "the classes: give `unknown`. Received: unknown=None"
            )
        extractor = Extractor(model, self.batch_size)
        known = extractor.learned_features(images, "images")
        if calibration is None:
            known, held_back = known[::2], known[1::2]
        else:
            held_back = extractor.learned_features(calibration, "calibration")
        check_learned(len(known), extractor.head.num_classes)
        check_enough(len(held_back), self.false_alarm_rate)
        head = with_gate(extractor.head)
        if unknown is None:
            constants = score.fit(known, held_back, head)
        else:
            strange = extractor.learned_features(unknown, "unknown")
            constants = score.fit_with_unknown(
                known, held_back, strange, head, self.seed
            )
        self._extractor, self.head_, self.constants_ = (
            extractor,
            extractor.head,
            constants,
        )
        scores = np.concatenate(list(self._scores_of(held_back)))
        self.threshold_ = threshold_of(scores, self.false_alarm_rate)
        self.rank_ = fit_rank(scores, self.threshold_, self.false_alarm_rate)
        self.calibrated_on_ = len(scores)
        return self

    def score_samples(self, images: Any) -> np.ndarray:
        """Returns how strange images are: the higher, the stranger.

        Args:
            images: array `(samples, height, width, 3)`, RGB in 0..255, or an
                iterable of such batches; or features `(samples, filters)`.

        Returns:
            float64 array `(samples,)`, in the unit of `threshold_`.

        Raises:
            ValueError: if they are not as described, or the detector was not
                fitted.
        """
        self._check_fitted()
        if self._extractor is None:
            features = np.asarray(images)
            if features.ndim != 2:
                raise ValueError(
                    "A detector that was loaded without its classifier takes "
                    "features, (samples, filters). "
                    f"Received: images.shape={features.shape}"
                )
            batches = iter([features])
        else:
            batches = self._extractor.batches(images, "images")
        return np.concatenate(
            [
                scores
                for features in batches
                for scores in self._scores_of(features)
            ]
        )

    def features(self, images: Any) -> np.ndarray:
        """Returns the features of images, which the other methods take too.

        Args:
            images: see `score_samples`.

        Raises:
            ValueError: if they are not as described, or the classifier is not
                there.
        """
        if self._extractor is None:
            raise ValueError("The detector has no classifier: load it with one")
        return self._extractor.features(images, "images")

    def anomaly_scores(self, images: Any) -> np.ndarray:
        """Returns which share of clean images are less strange than each.

        What an exported model answers as `anomaly_score`.

        Args:
            images: see `score_samples`.

        Returns:
            float64 array `(samples,)` in 0..1; known is what has `1 -
            false_alarm_rate` or less.
        """
        return self.ranks(self.score_samples(images))

    def decision_function(self, images: Any) -> np.ndarray:
        """Returns how far below the threshold each is; unknown is negative."""
        return -self.score_samples(images) + self.threshold_

    def predict(self, images: Any) -> np.ndarray:
        """Returns 1 for each known image and -1 for each unknown one."""
        return np.where(self.decision_function(images) < 0, UNKNOWN, KNOWN)

    def save(self, folder: str | os.PathLike) -> None:
        """Writes the detector into a folder, whole or not at all.

        `detector.npz`, arrays without pickle, and `detector.json`.

        Args:
            folder: path; what a detector left there is replaced.

        Raises:
            ValueError: if it was not fitted.
            OSError: if it cannot be written.
        """
        self._check_fitted()
        write_detector(
            folder,
            Stored(
                self.get_params(),
                self.threshold_,
                {**self.constants_, "rank": self.rank_},
                self.head_,
                self.calibrated_on_,
            ),
        )

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike,
        model: CSGClassifier | Any | None = None,
    ) -> Self:
        """Reads what `save` wrote.

        Args:
            folder: path.
            model: `CSGClassifier` or run that it was fitted on; `None` for a
                detector that takes features alone.

        Raises:
            ValueError: if there is none, it is damaged, or it was fitted on
                another classifier.
        """
        extractor = None if model is None else Extractor(model)
        damaged = f"The detector in {folder} is damaged"
        stored = read_detector(
            folder, None if extractor is None else extractor.head
        )
        try:
            detector = cls(**stored.params)
        except ValueError as error:
            raise ValueError(f"{damaged}: {error} Fit it again.") from error
        if extractor is not None:
            extractor.batch_size = detector.batch_size
        detector._extractor = extractor
        detector.head_ = stored.head
        detector.constants_ = dict(stored.arrays)
        detector.rank_ = detector.constants_.pop("rank")
        detector.threshold_ = stored.threshold
        detector.calibrated_on_ = stored.calibrated_on
        try:
            detector.looks_at()
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{damaged}: it has not what the score {detector.score!r} "
                "learns. Fit it again."
            ) from error
        return detector
