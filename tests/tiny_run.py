"""A run directory of a network that is quickly trained and exported."""

from keras_csg import CSGClassifier
from keras_csg.training import Run
from keras_csg.training.options import TrainingOptions
from tests.tiny import tiny_backbone


def make_tiny_run(path, digits, epochs=0, **kwargs):
    """Writes one of the digits, trained for some epochs; returns its path."""
    model = CSGClassifier(
        tiny_backbone(20), 10, class_names=digits.class_names, **kwargs
    )
    if epochs:
        model.compile("adam")
        images, labels = digits.train.images_and_labels()
        model.fit(images, labels, epochs=epochs, verbose=0)
    run = Run(path)
    run.create(TrainingOptions(data="digits", image_size=8))
    run.save_model(model)
    run.unlock()
    return path
