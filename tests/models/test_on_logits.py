import keras
import numpy as np
import pytest

from keras_csg import LogitCrossentropy
from keras_csg.models.on_logits import loss_on_logits, metrics_on_logits
from tests.tiny import tiny_classifier, tiny_data

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], "float32")
LABELS = np.array([2, 1])


def by_hand(targets, logits=LOGITS):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -(targets * np.log(p)).sum(axis=1).mean()


@pytest.mark.parametrize(
    "loss",
    [
        "crossentropy",
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        "CategoricalCrossentropy",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    ],
)
def test_crossentropies_read_logits(loss):
    found = float(loss_on_logits(loss)(LABELS, LOGITS))
    assert found == pytest.approx(by_hand(np.eye(3)[LABELS]), rel=1e-5)


@pytest.mark.parametrize(
    "name", ["CategoricalFocalCrossentropy", "BinaryCrossentropy"]
)
def test_other_losses_by_name_read_logits(name):
    found = loss_on_logits(name)
    given = getattr(keras.losses, name)(from_logits=True)
    hot = np.eye(3, dtype="float32")[LABELS]
    assert float(found(hot, LOGITS)) == pytest.approx(float(given(hot, LOGITS)))


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        keras.losses.BinaryCrossentropy(),
        keras.losses.KLDivergence(),
        "KLDivergence",
        "Poisson",
    ],
)
def test_a_loss_on_probabilities_is_refused_in_one_line(loss):
    with pytest.raises(ValueError, match="`loss` must read logits") as error:
        tiny_classifier().compile("sgd", loss)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "metric",
    [
        "crossentropy",
        "sparse_categorical_crossentropy",
        keras.metrics.SparseCategoricalCrossentropy(),
        keras.metrics.KLDivergence(),
        "AUC",
        "binary_accuracy",
        keras.metrics.Precision(),
        keras.metrics.RecallAtPrecision(0.5),
        keras.metrics.F1Score(threshold=0.5),
    ],
)
@pytest.mark.parametrize("place", ["metrics", "weighted_metrics"])
def test_a_metric_on_probabilities_is_refused_in_one_line(metric, place):
    with pytest.raises(ValueError, match="`metrics` must") as error:
        tiny_classifier().compile("sgd", **{place: [metric]})
    assert "\n" not in str(error.value)


def test_metrics_by_name_count_on_logits():
    metric = keras.metrics.SparseCategoricalCrossentropy(from_logits=True)
    (same,) = metrics_on_logits([metric])
    assert same is metric
    (binary,) = metrics_on_logits(["BinaryCrossentropy"])
    assert binary.from_logits
    largest = keras.metrics.F1Score(average="macro")
    curve = keras.metrics.AUC(from_logits=True)
    assert metrics_on_logits([largest, curve]) == [largest, curve]
    assert metrics_on_logits({"head": ["acc"]})["head"][0].name == "acc"
    assert metrics_on_logits(None) is None


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None]])
@pytest.mark.parametrize(
    "loss",
    [
        LogitCrossentropy(label_smoothing=0.3),
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=0.3
        ),
    ],
)
def test_label_smoothing_takes_hard_and_soft_labels(loss, labels):
    """Of 0.3 each of three classes gets 0.1."""
    hot = np.eye(3, dtype="float32")[LABELS]
    expected = by_hand(0.7 * hot + 0.1)
    for given in (labels, hot):
        found = float(loss_on_logits(loss)(given, LOGITS))
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("label_smoothing", ["a", -0.1, 1.5, True])
def test_impossible_label_smoothing_is_refused(label_smoothing):
    with pytest.raises(ValueError, match="label_smoothing="):
        LogitCrossentropy(label_smoothing=label_smoothing)


@pytest.mark.slow
def test_label_smoothing_trains_on_integers_and_is_saved(tmp_path):
    images, labels = tiny_data()
    model = tiny_classifier()
    model.compile("sgd", LogitCrossentropy(label_smoothing=0.1))
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.path_loss.label_smoothing == 0.1
    results = [
        m.evaluate(images, labels, verbose=0, return_dict=True)["loss"]
        for m in (model, loaded)
    ]
    assert results[0] == pytest.approx(results[1])
