"""A classifier whose maps can be worked out by hand."""

import keras
import numpy as np

from keras_csg import CSGClassifier

HEAD = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.5]], "float32")
GATE = np.array([[1.0, 0.0, 0.25], [0.0, 1.0, 1.0]], "float32")


def channel_classifier(gated=True, size=4):
    """Three filters, the means of the channels over cells of 2x2 pixels."""
    images = keras.Input((size, size, 3), name="images")
    maps = keras.layers.AveragePooling2D(2, name="cells")(images)
    maps = keras.layers.Conv2D(3, 1, use_bias=False, name="filters")(maps)
    model = CSGClassifier(keras.Model(images, maps), 2, gated=gated)
    model.backbone.get_layer("filters").set_weights([np.eye(3)[None, None]])
    model.head.set_weights([HEAD, np.zeros(2)])
    if gated:
        model.gate.gate_matrix.assign(GATE)
    return model


def image_of_cells(red, green, blue):
    """One image of 4x4 pixels from the means of its 2x2 cells."""
    cells = np.stack([red, green, blue], axis=-1).astype("float32")
    return np.repeat(np.repeat(cells, 2, axis=0), 2, axis=1)[None]
