"""Tells images that a classifier knows nothing of, and attacked ones."""

from keras_csg.robustness.detection.detector import (
    AnomalyDetector as AnomalyDetector,
)
from keras_csg.robustness.detection.layer import AnomalyScore as AnomalyScore
from keras_csg.robustness.detection.made_up_images import MADE_UP as MADE_UP
from keras_csg.robustness.detection.made_up_images import (
    make_up_images as make_up_images,
)
from keras_csg.robustness.detection.measures import (
    detection_figures as detection_figures,
)
from keras_csg.robustness.detection.registry import list_scores as list_scores
