"""Models of both sides and their bare training steps, for the benchmarks."""

import keras
import numpy as np
import tensorflow as tf

import keras_csg


def optimizer():
    return keras.optimizers.SGD(
        0.01, momentum=0.9, nesterov=True, weight_decay=5e-3
    )


def plain_model(backbone, size, classes, policy):
    """What a Keras user writes: the same network, no gate, Keras's layers."""
    keras.config.set_dtype_policy(policy)
    features = keras_csg.create_backbone(backbone, input_shape=(size, size, 3))
    x = keras.layers.GlobalAveragePooling2D()(features.output)
    logits = keras.layers.Dense(classes, dtype="float32")(x)
    model = keras.Model(features.input, logits)
    model.compile(
        optimizer(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def our_model(backbone, size, classes, policy, gated=True):
    keras.config.set_dtype_policy(policy)
    model = keras_csg.build(
        backbone, classes, input_shape=(size, size, 3), gated=gated
    )
    model.compile(optimizer())
    return model


def random_batch(size, batch_size, classes):
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (batch_size, size, size, 3))
    labels = rng.integers(0, classes, batch_size)
    return tf.constant(images, "float32"), tf.constant(labels, "int32")


def bare_step(model, batch):
    """Returns a function that trains on one constant batch.

    It is `fit`'s own compiled step, fed by a stream that costs nothing.
    """
    model.make_train_function()
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: model.train_function(batches)
