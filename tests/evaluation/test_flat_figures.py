import json

import numpy as np

from keras_csg.evaluation.flat_figures import flat_figures, without_nan


def test_rows_become_one_flat_dict():
    rows = {"cam": {"iou": 0.5, "ap20": float("nan")}}
    assert flat_figures(rows) == {"cam_iou": 0.5, "cam_ap20": None}


def test_nan_alone_is_replaced():
    figures = {"a": np.float64("nan"), "b": 0.0, "c": [1, 2], "d": 3, "e": None}
    found = without_nan(figures)
    assert found == figures | {"a": None}
    assert list(found) == list(figures)
    json.dumps(found, allow_nan=False)
