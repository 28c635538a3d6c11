from . import detection as detection
from .detection import AnomalyDetector as AnomalyDetector
