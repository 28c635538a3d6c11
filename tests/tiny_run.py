"""A run directory of a network that is quickly trained and exported."""

import keras

from keras_csg import CSGClassifier
from keras_csg.training import Run
from keras_csg.training.options import TrainingOptions
from tests.tiny import tiny_maps


def make_tiny_run(path, data, epochs=0, options=(), **kwargs):
    """Writes one on loaded data, trained for some epochs; returns its path."""
    images = keras.Input(data.image_shape, name="images")
    model = CSGClassifier(
        keras.Model(images, tiny_maps(images, filters=20), name="tiny"),
        data.num_classes,
        class_names=data.class_names,
        **kwargs,
    )
    if epochs:
        model.compile("adam")
        images, labels = data.train.images_and_labels()
        model.fit(images, labels, epochs=epochs, verbose=0)
    run = Run(path)
    size = data.image_shape[0]
    options = {"data": data.name, "image_size": size, **dict(options)}
    run.create(TrainingOptions(**options))
    run.save_model(model)
    run.unlock()
    return path
