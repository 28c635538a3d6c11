"""Classifiers and pictures for the page, by hand."""

import numpy as np
from PIL import Image

from keras_csg.interactive.workbench import Workbench
from tests.explain.hand_made import channel_classifier

NAMES = ["<script>cat</script>", "<img src=x onerror=alert(1)> {{dog}} ${1}"]


def hand_made(gated=True, names=NAMES, **kwargs):
    """A workbench of `channel_classifier`."""
    model = channel_classifier(gated)
    model.class_names = names
    return Workbench(model, "a run", **kwargs)


def picture_at(path, size=(12, 4)):
    """Writes a picture that is mostly green, and returns its path."""
    pixels = np.full((*size[::-1], 3), (40, 200, 10), "uint8")
    Image.fromarray(pixels).save(path)
    return path
