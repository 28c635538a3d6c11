"""The classifier: its layers, its objective, its training step."""

from keras_csg.models.build import build as build
from keras_csg.models.class_layout import class_layout as class_layout
from keras_csg.models.classifier import CSGClassifier as CSGClassifier
from keras_csg.models.gate_scheduler import GateScheduler as GateScheduler
from keras_csg.models.losses import ClassAccuracy as ClassAccuracy
from keras_csg.models.losses import LogitCrossentropy as LogitCrossentropy
from keras_csg.models.multi_label_losses import (
    LogitBinaryCrossentropy as LogitBinaryCrossentropy,
)
from keras_csg.models.schedules import (
    AlternatingSchedule as AlternatingSchedule,
)
from keras_csg.models.schedules import JointSchedule as JointSchedule
from keras_csg.models.schedules import PathWeights as PathWeights
