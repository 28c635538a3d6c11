"""What `soak.py` does over and over, each in a process of its own.

A phase is a function that prepares, and returns what is done in a turn: that
says whether its answer was right.
"""

import pathlib

import numpy as np

TURNS = {
    "predictions": 1000,
    "predictions_of_keras": 1000,
    "explanations": 200,
    "saved_model": 50,
    "onnx": 500,
    "litert": 500,
    "openvino": 500,
    "builds": 30,
    "builds_of_keras": 30,
}
OF_KERAS = "_of_keras"
"""The same with a network of Keras alone: what grows there is not ours."""
SHAPE = (32, 32, 3)
FORMATS = {
    "saved_model": "saved_model",
    "onnx": "model.onnx",
    "litert": "model.tflite",
    "openvino": "openvino",
}


def some_images(shape, count=8):
    """Returns images of whole numbers."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *shape)).astype("float32")


def predictions(source, folder):
    """Predicts by a model, as a notebook does."""
    return _predicted(_model(source))


def predictions_of_keras(source, folder):
    """Predicts by the same backbone with a head of Keras."""
    return _predicted(_plain())


def _predicted(model):
    images = some_images(model.input_shape[1:])
    expected = model.predict(images, verbose=0)

    def turn():
        return np.array_equal(model.predict(images, verbose=0), expected)

    return turn


def explanations(source, folder):
    """Explains two images of a model, and draws one."""
    model = _model(source)
    images = some_images(model.input_shape[1:], 2)
    expected = model.explain(images)

    def turn():
        found = model.explain(images)
        found.plot()
        same = found.predicted.contributions == expected.predicted.contributions
        return bool(same.all())

    return turn


def openings(source, folder, name):
    """Opens an exported file anew and asks it."""
    from keras_csg.deployment import open_exported

    path = pathlib.Path(folder) / FORMATS[name]
    with_shape = open_exported(path)
    images = some_images(with_shape.metadata.input["shape"][1:], 2)
    expected = with_shape.answer(images)["probabilities"]

    def turn():
        found = open_exported(path).answer(images)["probabilities"]
        return np.array_equal(found, expected)

    return turn


def builds(source, folder):
    """Builds a network, trains it for three steps, and lets it go."""
    import keras_csg

    def build():
        model = keras_csg.build("resnet20", 3, input_shape=SHAPE)
        model.compile("sgd")
        return model

    return _trained(build)


def builds_of_keras(source, folder):
    """Does the same with a head of Keras."""

    def build():
        model = _plain()
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    return _trained(build)


def _trained(build):
    import keras

    images = some_images(SHAPE, 24)
    labels = np.arange(24) % 3

    def turn():
        keras.utils.set_random_seed(0)
        model = build()
        losses = model.fit(images, labels, batch_size=8, verbose=0).history
        keras.backend.clear_session()
        return bool(np.isfinite(losses["loss"]).all())

    return turn


def phase(name, source, folder):
    """Returns what a phase does in a turn, prepared."""
    if name in FORMATS:
        return openings(source, folder, name)
    return globals()[name](source, folder)


def _plain():
    import keras

    from keras_csg.backbones import create_backbone

    backbone = create_backbone("resnet20", input_shape=SHAPE)
    x = keras.layers.GlobalAveragePooling2D()(backbone.output)
    x = keras.layers.Dense(3, activation="softmax")(x)
    return keras.Model(backbone.input, x)


def _model(source):
    from keras_csg.training.opening import open_run

    return open_run(source).load_model()
