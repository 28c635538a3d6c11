"""A classifier as arrays: its features over a split, and its head."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_csg.explain.class_filters import head_of as head_of
from keras_csg.models.classifier import CSGClassifier


class SplitFeatures(NamedTuple):
    """Features of the samples of a split.

    Attributes:
        features: float32 array of shape `(samples, filters)`, the average of
            each filter's map.
        labels: int32 array of shape `(samples,)`, or of `(samples, classes)`
            where an image may have several.
        sums: float32 array of shape `(samples, filters)`, the sum of each map
            before the backbone's last activation; `None` unless asked for.
    """

    features: np.ndarray
    labels: np.ndarray
    sums: np.ndarray | None = None


class FeatureExtractor:
    """Runs a classifier's backbone over data, as often as asked.

    Args:
        model: `CSGClassifier`.
        sums: bool. Whether to sum the maps before the last activation too.

    Raises:
        ValueError: if `sums` is asked of a backbone that does not end with an
            activation layer.
    """

    def __init__(self, model: CSGClassifier, sums: bool = False) -> None:
        outputs = {"features": model.pooling(model.backbone.output)}
        if sums:
            outputs["sums"] = _sums_before_activation(model.backbone)
        self._extractor = keras.Model(model.backbone.input, outputs)

    def __call__(self, batches: Iterable[tuple[Any, Any]]) -> SplitFeatures:
        """Returns the `SplitFeatures` of the data.

        Args:
            batches: iterable of image batches `(batch, height, width, 3)` and
                their labels `(batch,)`.

        Raises:
            ValueError: if there is no batch, or the network gives values that
                are not finite.
        """
        outputs, labels = [], []
        for images, batch_labels in batches:
            outputs.append(self._extractor.predict_on_batch(np.asarray(images)))
            labels.append(ops.convert_to_numpy(batch_labels))
        if not labels:
            raise ValueError(
                "`batches` must hold a batch of images. Received: no batch"
            )
        arrays = {
            name: np.concatenate([output[name] for output in outputs])
            for name in outputs[0]
        }
        check_finite(arrays.values())
        return SplitFeatures(labels=np.concatenate(labels), **arrays)


def check_finite(arrays: Iterable[np.ndarray]) -> None:
    """Refuses features that are not finite.

    Raises:
        ValueError: if there is one among them.
    """
    broken = sum(np.count_nonzero(~np.isfinite(array)) for array in arrays)
    if broken:
        raise ValueError(
            "The features must be finite: the weights are damaged, or the "
            f"training diverged. Received: {broken} values NaN or infinite"
        )


def _sums_before_activation(backbone):
    layer = backbone.layers[-1]
    if not isinstance(layer, keras.layers.Activation | keras.layers.ReLU):
        raise ValueError(
            "PICNN's variant of the MIS sums the maps before the backbone's "
            "last activation, which has to be its last layer. Received: a "
            f"backbone that ends with {layer.name!r} of type "
            f"{type(layer).__name__}"
        )
    return ops.sum(ops.cast(layer.input, "float32"), axis=(1, 2))
