"""Puts a Class-Specific Gate into an ordinary functional Keras model.

    python examples/gate_in_a_keras_model.py

Takes about ten seconds. Expected: the gated path learns to tell two kinds of
noise apart, and each filter ends up open to one class.

For training both paths from one backbone pass, with schedules and metrics, use
`keras_csg.build` or `keras_csg.CSGClassifier`; this is the layer alone.
"""

import keras
import numpy as np

import keras_csg


def main(epochs=30):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 512)
    images = rng.normal(size=(512, 8, 8, 1)).astype("float32")
    images[labels == 1] = np.repeat(images[labels == 1, ::2], 2, axis=1)

    x = keras.Input((8, 8, 1), name="images")
    y = keras.Input((), dtype="int32", name="labels")
    maps = keras.layers.Conv2D(8, 3, activation="relu")(x)
    gate = keras_csg.CSGGate(num_classes=2, lambda_2=0.01)
    features = keras.layers.GlobalAveragePooling2D()(gate(maps, y))
    model = keras.Model([x, y], keras.layers.Dense(2)(features))
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit([images, labels], labels, epochs=epochs, verbose=0)
    gate_matrix = keras.ops.convert_to_numpy(gate.gate_matrix)
    print(np.round(gate_matrix, 2))
    print(f"density {gate_matrix.mean():.2f}, the floor is 0.50")
    return gate_matrix


if __name__ == "__main__":
    main()
