"""Two replicas of a training step equal one, on two logical processors."""

import subprocess
import sys

import pytest

TWO_PROCESSORS = """
import keras, numpy as np, tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
"""
TRAIN_LIKE_ONE = """
from keras_csg import CSGClassifier
from tests.tiny import CLASSES, tiny_backbone, tiny_data

def trained(strategy, **how):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = CSGClassifier(
            tiny_backbone(normalized=False), CLASSES, **how
        )
        model.compile(keras.optimizers.SGD(0.1, 0.9, weight_decay=1e-3))
    images, labels = tiny_data(64)
    history = model.fit(
        images, labels, batch_size=32, epochs=5, shuffle=False, verbose=0,
        validation_data=(images, labels),
    ).history
    return history, [np.array(w) for w in model.get_weights()]

# One strategy for all: each counts its reductions from the same number.
mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for how in ({"lambda_2": 0.05, "schedule": "alternating"}, {}):
    one = trained(tf.distribute.get_strategy(), **how)
    two = trained(mirrored, **how)
    for a, b in zip(one[1], two[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    for name in one[0]:
        np.testing.assert_allclose(one[0][name], two[0][name], rtol=1e-3)
    assert one[0]["l1_density"][-1] < 1
"""


OFF_CLASS_VARIANCE = """
from keras_csg import CSGClassifier
from tests.tiny import CLASSES, tiny_backbone, tiny_data

images, labels = tiny_data(32)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def trained(rate):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = CSGClassifier(
            tiny_backbone(normalized=False), CLASSES, lambda_6=3.0,
            lambda_1=0.0, lambda_3=0.0, lambda_4=0.0, lambda_5=0.0,
        )
        model.compile(keras.optimizers.SGD(rate))
    model.gate.trainable = False
    gate_matrix = np.eye(4, 6, dtype="float32")
    gate_matrix[0, 4:] = 1
    model.gate.gate_matrix.assign(gate_matrix)
    history = model.fit(
        images, labels, batch_size=32, shuffle=False, verbose=0
    ).history
    return model, history

# Each replica knows its own half of a batch alone.
model, history = trained(0.0)
halves = [
    model.compute_dual_path_loss(model.features(images[half]), labels[half])[1]
    for half in (slice(16), slice(16, 32))
]
mean = np.mean([float(paths["off_class_variance"]) for paths in halves])
loss = np.mean([float(paths["loss"]) for paths in halves])
assert 0 < mean < 1
for name, expected in (
    ("off_class_variance", mean), ("total_loss", loss + 3 * mean)
):
    np.testing.assert_allclose(history[name], [expected], rtol=1e-3)
"""

MEASURE_STATISTICS = """
from keras_csg import CSGClassifier
from tests.tiny import CLASSES, tiny_backbone, tiny_data

images, labels = tiny_data()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = CSGClassifier(tiny_backbone(), CLASSES)
    model.compile(keras.optimizers.SGD(0.1, 0.9))
model.fit(images, labels, batch_size=32, epochs=2, verbose=0)
given = np.array(model.get_layer("conv")(images / 255.0)).reshape(-1, 6)
mean, variance = model.get_layer("norm").get_weights()[-2:]
np.testing.assert_allclose(mean, given.mean(axis=0), rtol=1e-4, atol=1e-5)
np.testing.assert_allclose(variance, given.var(axis=0), rtol=1e-4)
"""

EXPORT_WITHIN = """
import os, tempfile
import keras_csg
from tests.tiny import tiny_classifier, tiny_data

images = tiny_data(8)[0]
with (
    tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope(),
    tempfile.TemporaryDirectory() as folder,
):
    model = tiny_classifier()
    for name in ("model", "model.onnx", "model.tflite"):
        path = os.path.join(folder, name)
        proof = keras_csg.export(model, path, images=images)
        assert max(proof["gaps"].values()) < 1e-5
        given = keras_csg.open_exported(path).answer(images)["probabilities"]
        expected = keras.ops.softmax(model(images))
        np.testing.assert_allclose(given, expected, atol=1e-5)
"""


def run(script):
    done = subprocess.run(
        [sys.executable, "-c", TWO_PROCESSORS + script],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_two_replicas_train_like_one():
    run(TRAIN_LIKE_ONE)


@pytest.mark.slow
def test_what_replicas_tell_of_other_classes_counts_once():
    run(OFF_CLASS_VARIANCE)


@pytest.mark.slow
def test_statistics_of_two_replicas_are_measured():
    run(MEASURE_STATISTICS)


@pytest.mark.slow
def test_a_model_of_replicas_is_exported_within_their_scope():
    run(EXPORT_WITHIN)
