import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg import ClassAccuracy, LogitCrossentropy

LOGITS = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
LABELS = np.array([0, 2, 1, 1, 0, 2])
SOFT = (0.8 * np.eye(3)[LABELS] + 0.1).astype("float32")
SOFT /= SOFT.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None]])
def test_hard_labels_give_kerass_sparse_crossentropy(labels):
    reference = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert_allclose(
        LogitCrossentropy()(labels, LOGITS),
        reference(LABELS, LOGITS),
        rtol=1e-6,
    )


def test_soft_labels_give_kerass_categorical_crossentropy():
    reference = keras.losses.CategoricalCrossentropy(from_logits=True)
    weights = np.arange(6.0)
    assert_allclose(
        LogitCrossentropy()(SOFT, LOGITS, weights),
        reference(SOFT, LOGITS, weights),
        rtol=1e-6,
    )


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], SOFT])
def test_accuracy_counts_the_largest_logit(labels):
    metric = ClassAccuracy()
    metric.update_state(labels, LOGITS)
    expected = (LOGITS.argmax(axis=1) == LABELS).mean()
    assert float(metric.result()) == pytest.approx(expected)


def test_loss_and_metric_serialise():
    for instance in (LogitCrossentropy(), ClassAccuracy()):
        config = keras.saving.serialize_keras_object(instance)
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is type(instance)
        assert twin.get_config() == instance.get_config()
