"""What has to work where TensorFlow is not installed.

KERAS_BACKEND=jax python -m tests.engines.without_tensorflow FOLDER
"""

import importlib.machinery
import pathlib
import sys

ABSENT = ("tensorflow", "tensorflow_datasets", "keras_cv")


def hide():
    """Lets Python find nothing of them, as if they were not installed."""
    find = importlib.machinery.PathFinder.find_spec

    def find_others(name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            return None
        return find(name, path, target)

    importlib.machinery.PathFinder.find_spec = find_others


def main(folder):
    import keras
    import numpy as np

    import keras_csg

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 96).astype("int32")
    images = rng.normal(
        120 + 40 * labels[:, None, None, None], 20, (96, 8, 8, 3)
    )
    images = images.clip(0, 255).astype("uint8")

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, number):
            own = slice(16 * number, 16 * number + 16)
            return images[own], labels[own]

    maps = keras.layers.Rescaling(1 / 255)(inputs := keras.Input((8, 8, 3)))
    maps = keras.layers.Conv2D(9, 3, use_bias=False)(maps)
    maps = keras.layers.BatchNormalization()(maps)
    maps = keras.layers.ReLU()(maps)
    model = keras_csg.build(keras.Model(inputs, maps), 3)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images, labels, epochs=4, batch_size=16, verbose=0)
    model.fit(Batches(), epochs=10, verbose=0)
    # Averages, of all but the gate, which the budget closes.
    model.compile(keras.optimizers.Adam(1e-3, use_ema=True))
    model.fit(images, labels, batch_size=16, verbose=0)
    figures = model.evaluate(images, labels, return_dict=True, verbose=0)
    assert figures["accuracy"] > 0.8, figures
    assert abs(figures["l1_density"] - 1 / 3) < 1e-6, figures
    model.save(folder / "model.keras")
    logits = model.predict(images, verbose=0)
    loaded = keras.models.load_model(folder / "model.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), logits)
    loaded.fit(images, labels, verbose=0)
    _measure(model, images, labels)
    assert not set(ABSENT) & set(sys.modules)
    np.savez(folder / "predicted.npz", images=images, logits=logits)


def _measure(model, images, labels):
    """Takes the figures that need features and the head alone."""
    from keras_csg.evaluation.features import FeatureExtractor
    from keras_csg.metrics import l1_density, mutual_information_score

    found = FeatureExtractor(model)([(images, labels)])
    assert found.features.shape == (96, 9)
    score = mutual_information_score(
        found.features, found.labels, num_classes=3
    )
    assert score > 0.1, score
    assert l1_density(model.gate.get_weights()[0]) < 0.34


if __name__ == "__main__":
    hide()
    main(pathlib.Path(sys.argv[1]))
