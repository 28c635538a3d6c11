"""A survey of filters that can be checked by eye."""

import numpy as np

from keras_csg.evaluation import FilterSurvey

SCRIPT = "<script>alert(1)</script>"
GATE = np.array([[1, 1, 0, 1], [0, 0, 1, 1]], "float32")


def hand_made(**changes):
    """Two classes, four filters, two images; the last is shared and dead."""
    thumbnails = np.full((2, 8, 8, 3), 200, "uint8")
    maps = np.zeros((4, 2, 2, 2), "float32")
    maps[:, :, 0, 0] = 4
    samples = np.array([[5, 9], [5, 9], [9, -1], [-1, -1]])
    values = {
        "class_names": [SCRIPT, "a \"b\" & 'c'"],
        "filter_names": {1: "<img src=x onerror=alert(2)>"},
        "samples": 10,
        "gate_matrix": GATE,
        "filter_classes": np.array([0, 0, 1, 0]),
        "information": np.array(
            [[0.2, 0.3, 0.0, 0.0], [0.1, 0.1, 0.25, 0.0]], "float32"
        ),
        "purity": np.array([0.5, 0.5, 1, np.nan]),
        "class_means": np.ones((2, 4), "float32"),
        "recall": np.array([0.75, np.nan]),
        "recall_without": np.array([0.5, 0.25, np.nan, 0.75]),
        "recall_without_all": np.array([0.25, np.nan]),
        "duplicates": [(0, 1, 0.99)],
        "shared": np.array([False, False, False, True]),
        "dead": np.array([False, False, False, True]),
        "top_samples": samples,
        "top_values": np.where(samples < 0, np.nan, 1).astype("float32"),
        "top_labels": np.array([[0, 1], [0, 1], [1, -1], [-1, -1]]),
        "top_maps": maps,
        "thresholds": np.array([2, 2, 2, np.inf], "float32"),
        "thumbnails": thumbnails,
        "thumbnail_of": {5: 0, 9: 1},
    }
    return FilterSurvey(**{**values, **changes})
