"""Images that may have several classes, or none."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_csg
from keras_csg import CSGGate, LogitBinaryCrossentropy
from keras_csg.models.multi_label_losses import MultiLabelComplementLoss
from tests.tiny import CLASSES, gate_of, tiny_backbone, tiny_classifier

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], "float32")
LABELS = np.array([[1, 0, 1], [0, 0, 0]], "float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(labels, logits=LOGITS):
    p = sigmoid(logits)
    return -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).sum(axis=1)


def several_data(samples=96, seed=0):
    """Bright red, green and blue halves; the last class is of dark images."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (samples, CLASSES)).astype("float32")
    labels[:, 3] = ~labels[:, :3].any(axis=1)
    images = rng.uniform(0, 80, (samples, 8, 8, 3)).astype("float32")
    images += 170 * labels[:, None, None, :3]
    return images, labels


def test_rows_are_unions():
    gate = CSGGate(3)
    gate.build((None, 4))
    gate.gate_matrix.assign([[1, 0.5, 0, 0.2], [0, 1, 0, 0.3], [0, 0, 1, 1]])
    labels = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0], [0.5, 0, 0]])
    assert_allclose(
        gate.rows(labels),
        [[1, 1, 0, 0.5], [1, 0.5, 1, 1], [0, 0, 0, 0], [0.5, 0.25, 0, 0.1]],
        rtol=1e-6,
    )


def test_an_open_gate_still_has_a_gradient():
    """Its unions are all 1, and it could not close by what they hide."""
    tf = pytest.importorskip("tensorflow")
    gate = CSGGate(3)
    gate.build((None, 2))
    with tf.GradientTape() as tape:
        rows = gate.rows(np.array([[1, 1, 0]], "float32"))
        total = tf.reduce_sum(rows * [[2.0, 3.0]])
    assert_array_equal(rows, 1)
    gradient = tape.gradient(total, gate.gate_matrix.value)
    assert_array_equal(gradient, [[2, 3], [2, 3], [0, 0]])


def test_crossentropy_is_the_sum_over_the_classes():
    loss = LogitBinaryCrossentropy()
    assert_allclose(loss(LABELS, LOGITS), by_hand(LABELS).mean(), rtol=1e-5)
    weights = np.array([3.0, 1.0])
    expected = (by_hand(LABELS) * weights).mean()
    assert_allclose(loss(LABELS, LOGITS, weights), expected, rtol=1e-5)


def test_label_smoothing_moves_labels_to_one_half():
    loss = LogitBinaryCrossentropy(label_smoothing=0.2)
    expected = by_hand(0.8 * LABELS + 0.1).mean()
    assert_allclose(loss(LABELS, LOGITS), expected, rtol=1e-5)


def test_class_numbers_are_no_labels_of_several_classes():
    with pytest.raises(ValueError, match=r"of shape \(batch, 3\)"):
        LogitBinaryCrossentropy()(np.array([0, 1]), LOGITS)


def test_complement_is_the_mean_over_the_samples_classes():
    told = -np.log(1 - sigmoid(LOGITS[0]) + 1e-4)
    found = MultiLabelComplementLoss()(LABELS, LOGITS)
    # The second sample has no class that could be told.
    assert_allclose(found, (told[0] + told[2]) / 2 / 2, rtol=1e-5)


@pytest.mark.parametrize("gated", [True, False])
def test_it_trains_saves_and_loads(gated, tmp_path):
    images, labels = several_data()
    keras.utils.set_random_seed(0)
    model = keras_csg.build(
        tiny_backbone(24), CLASSES, gated=gated, multi_label=True
    )
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(images, labels, epochs=15, verbose=0).history
    assert history["average_precision"][-1] > 0.9
    assert ("class_specific_average_precision" in history) == gated
    assert "accuracy" not in history
    figures = model.evaluate(images, labels, verbose=0, return_dict=True)
    assert figures["average_precision"] > 0.9
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.multi_label
    assert isinstance(loaded.path_loss, LogitBinaryCrossentropy)
    assert_allclose(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
    again = loaded.evaluate(images, labels, verbose=0, return_dict=True)
    assert again == pytest.approx(figures, rel=1e-5)


def test_a_class_is_told_by_its_own_filters():
    images, labels = several_data()
    keras.utils.set_random_seed(0)
    model = keras_csg.build(tiny_backbone(24), CLASSES, multi_label=True)
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(images, labels, epochs=30, verbose=0)
    assert gate_of(model).mean() == pytest.approx(1 / CLASSES)
    features = model.features(images)
    told = model.class_specific_logits(features) > 0
    assert (np.asarray(told) == (labels > 0)).mean() > 0.9
    left = (1 - model.gate.rows(labels)) * np.asarray(features)
    told = (np.asarray(model.head(left)) > 0)[labels > 0]
    assert told.mean() < 0.1


def test_images_without_a_class_do_not_blow_up():
    model = tiny_classifier(multi_label=True, closing_steps=5)
    model.compile("sgd")
    images, labels = several_data(8)
    logs = model.train_on_batch(images, 0 * labels, return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())
    bias = np.asarray(model.head.bias)
    gated = model(images, labels=0 * labels)
    assert_allclose(gated, np.tile(bias, (8, 1)), rtol=1e-6)


def test_old_files_know_of_one_class():
    config = tiny_classifier().get_config()
    del config["multi_label"]
    assert not keras_csg.CSGClassifier.from_config(config).multi_label


@pytest.mark.parametrize(
    "loss", ["crossentropy", "BinaryCrossentropy", "bce", "ce"]
)
def test_losses_by_name_are_sums(loss):
    model = tiny_classifier(multi_label=True)
    model.compile("sgd", loss)
    assert isinstance(model.path_loss, LogitBinaryCrossentropy)


def test_kerass_own_loss_stays():
    model = tiny_classifier(multi_label=True)
    loss = keras.losses.BinaryFocalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    assert model.path_loss is loss


@pytest.mark.parametrize(
    "given, said",
    [
        ({"loss": "categorical_crossentropy"}, "`loss` must be of several"),
        ({"loss": keras_csg.LogitCrossentropy()}, "`loss` must be of several"),
        ({"metrics": ["accuracy"]}, "`metrics` must be of several"),
        ({"metrics": [keras_csg.ClassAccuracy()]}, "`metrics` must be of"),
    ],
)
def test_what_is_of_one_class_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        tiny_classifier(multi_label=True).compile("sgd", **given)


@pytest.mark.parametrize(
    "given, said",
    [
        ({"lambda_6": 1.0}, "`lambda_6` compares images of one class"),
        ({"multi_label": 1}, "`multi_label` must be True or False"),
    ],
)
def test_arguments_are_checked(given, said):
    with pytest.raises(ValueError, match=said):
        tiny_classifier(**{"multi_label": True, **given})


@pytest.mark.parametrize(
    "labels, said",
    [
        (np.zeros(8, int), r"\(samples, 4\)"),
        (np.zeros((8, 3)), r"\(samples, 4\)"),
        (np.full((8, 4), 2), r"in \[0, 1\]. Received: 2"),
        (np.full((8, 4), -0.5), r"in \[0, 1\]. Received: -0.5"),
    ],
)
def test_labels_are_checked(labels, said):
    model = tiny_classifier(multi_label=True)
    model.compile("sgd")
    with pytest.raises(ValueError, match=said):
        model.fit(np.zeros((8, 8, 8, 3)), labels, verbose=0)
