from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from keras_csg.evaluation.features import FeatureExtractor
from keras_csg.metrics.average_precision import mean_average_precision
from keras_csg.metrics.head import Head
from keras_csg.metrics.mutual_information import mutual_information_score
from keras_csg.metrics.path_accuracy import standard_accuracy


class GateFreeMetrics(keras.callbacks.Callback):
    """Follows accuracy and MIS of the path without the gate, by epoch.

    Answers whether training through the gate only leaks the label: what is
    measured here never saw a gate row. Adds `val_mis` to the epoch's logs and
    `val_accuracy` (`val_average_precision` with `multi_label`) where `fit` has
    no validation data of its own, so put it behind `FiniteLoss` and before
    callbacks that write the logs down. Takes one more pass of the backbone over
    the data.

    Args:
        batches: image batches `(batch, height, width, 3)` in 0..255 with int
            labels `(batch,)`, or `(batch, classes)`, such as
            `keras_csg.load_data(...).validation.batches(128)`; anything that
            can be iterated over once per measurement. Not the test split.
        every: int, at least 1. Epochs from one measurement to the next, the
            first epoch being measured.
        n_jobs: int. Number of threads.

    Raises:
        ValueError: if `every` is below 1.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """

    def __init__(self, batches: Iterable, every: int = 1, n_jobs: int = 1):
        super().__init__()
        if every < 1:
            raise ValueError(
                f"`every` must be at least 1. Received: every={every}"
            )
        self.batches = batches
        self.every = every
        self.n_jobs = n_jobs
        self._extract: FeatureExtractor | None = None

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Adds `val_mis` to the logs."""
        if epoch % self.every or logs is None:
            return
        if self._extract is None:
            self._extract = FeatureExtractor(self.model)
        features, labels, _ = self._extract(self.batches)
        logs["val_mis"] = mutual_information_score(
            features,
            labels,
            num_classes=self.model.num_classes,
            n_jobs=self.n_jobs,
        )
        name = f"val_{self.model.score_names[0]}"
        if name not in logs:
            head = Head(*map(ops.convert_to_numpy, self.model.head.weights))
            logs[name] = (
                mean_average_precision(labels, head.logits(features))
                if self.model.multi_label
                else standard_accuracy(features, labels, head)
            )
