"""A run and its measurements on the backend in use, with data by name.

KERAS_BACKEND=jax python -m tests.engines.runs FOLDER
"""

import pathlib
import sys

import keras
import numpy as np

import keras_csg
from keras_csg import CSGClassifier
from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.evaluation import evaluate_localization
from keras_csg.explain import gradient_map
from keras_csg.training import Run
from tests.tiny import registered_tiny, tiny_backbone

OPTIONS = {"data": "digits", "image_size": 8, "epochs": 2, "batch_size": 64}


class Stop(keras.callbacks.Callback):
    """Leaves a training after its first epoch, as a kill would."""

    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def weights(path):
    return Run(path).load_model().get_weights()


def resumed_bit_for_bit(folder, name):
    keras_csg.train(folder / "whole", backbone=name, log=None, **OPTIONS)
    try:
        keras_csg.train(
            folder / "stopped",
            backbone=name,
            callbacks=[Stop()],
            log=None,
            **OPTIONS,
        )
    except KeyboardInterrupt:
        pass
    assert not (folder / "stopped" / "model.keras").exists()
    keras_csg.train(folder / "stopped", resume=True, log=None)
    for ours, theirs in zip(
        weights(folder / "whole"), weights(folder / "stopped"), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def measured(folder):
    run = folder / "whole"
    trained = Run(run).read_metrics()
    again = keras_csg.evaluate(run, log=None)
    assert again["accuracy"] == trained["accuracy"]
    assert again["mis"] == trained["mis"]
    assert len(keras_csg.sanity_check(run, log=None)["depths"]) > 1
    data = keras_csg.load_data("digits", image_size=8, log=None)
    images, labels = (x[:4] for x in data.test.images_and_labels())
    model = Run(run).load_model()
    masks = images.mean(axis=-1) > 64
    annotated = AnnotatedImages(images, labels, masks)
    rows = evaluate_localization(model, annotated, batch_size=3)
    assert {"gated_cam", "gated_gradient_map"} <= set(rows), rows
    np.savez(
        folder / "found.npz",
        images=images,
        labels=labels,
        logits=model.predict(images, verbose=0),
        maps=gradient_map(model, images, labels),
    )


def fits_what_people_have():
    """A `tf.data.Dataset`, and a `DataLoader` where PyTorch is installed."""
    data = keras_csg.load_data("digits", image_size=8, log=None)
    images, labels = data.test.images_and_labels()
    model = CSGClassifier(tiny_backbone(), 10)
    model.compile(keras.optimizers.Adam(1e-2))
    batches = data.test.batches(90)
    found = model.fit(batches, epochs=4, verbose=0).history["loss"]
    assert found[-1] < found[0]
    figures = model.evaluate(batches, verbose=0, return_dict=True)
    try:
        from torch.utils.data import DataLoader, TensorDataset, default_convert
    except ImportError:
        return
    pairs = TensorDataset(default_convert(images), default_convert(labels))
    loader = DataLoader(pairs, batch_size=90)
    same = model.evaluate(loader, verbose=0, return_dict=True)
    np.testing.assert_allclose(same["loss"], figures["loss"], rtol=1e-5)
    model.fit(loader, verbose=0)


def refused(folder):
    try:
        keras_csg.export_run(folder / "whole", log=None)
    except ValueError as error:
        assert "KERAS_BACKEND=tensorflow" in str(error), error
    else:
        raise AssertionError("An export must say that it needs TensorFlow.")


def main(folder):
    with registered_tiny() as name:
        resumed_bit_for_bit(folder, name)
        measured(folder)
        refused(folder)
    fits_what_people_have()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
