"""Trains a gated network on handwritten digits with plain Keras calls.

    python examples/train_digits.py

Takes about a minute on two cores. Expected: a test accuracy of about 0.98 on
the standard path and of the class-specific head, and for each digit the
filters that answer for it.
"""

import argparse

import keras
import numpy as np

import keras_csg


def main(epochs=12, image_size=16):
    keras.utils.set_random_seed(0)
    data = keras_csg.load_data("digits", image_size=image_size)
    model = keras_csg.build(
        "resnet20", data.num_classes, input_shape=data.image_shape
    )
    steps = data.train.steps_per_epoch(64)
    model.compile(
        keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(0.1, epochs * steps),
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-3,
        )
    )
    model.fit(
        data.train.training_batches(
            64, seed=0, epochs=epochs, augmentation="crop"
        ),
        steps_per_epoch=steps,
        epochs=epochs,
        validation_data=data.validation.batches(64),
        shuffle=False,  # The stream is shuffled.
        verbose=2,
    )
    results = model.evaluate(data.test.batches(64), return_dict=True, verbose=0)
    for name in ("accuracy", "class_specific_accuracy", "l1_density"):
        print(f"{name:>24}: {results[name]:.4f}")
    gate_matrix = keras.ops.convert_to_numpy(model.gate.gate_matrix)
    for name, row in zip(data.class_names, gate_matrix, strict=True):
        print(f"filters of digit {name}: {np.flatnonzero(row == 1).tolist()}")
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--image-size", type=int, default=16)
    main(**vars(parser.parse_args()))
