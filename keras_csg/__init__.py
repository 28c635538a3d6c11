"""Image classifiers whose filters mean something.

Class-Specific Gates for Keras 3: Liang et al., "Training Interpretable
Convolutional Neural Networks by Differentiating Class-specific Filters", 2020.
"""

from keras_csg.backbones import create_backbone as create_backbone
from keras_csg.backbones import list_backbones as list_backbones
from keras_csg.backbones import register_backbone as register_backbone
from keras_csg.data import load_data as load_data
from keras_csg.deployment import export as export
from keras_csg.deployment import open_exported as open_exported
from keras_csg.deployment import read_metadata as read_metadata
from keras_csg.layers.csg_gate import CSGGate as CSGGate
from keras_csg.layers.csg_gate import GateSparsity as GateSparsity
from keras_csg.layers.csg_gate import UnitMaxGate as UnitMaxGate
from keras_csg.models.build import build as build
from keras_csg.models.classifier import CSGClassifier as CSGClassifier
from keras_csg.models.losses import ClassAccuracy as ClassAccuracy
from keras_csg.models.losses import LogitCrossentropy as LogitCrossentropy
