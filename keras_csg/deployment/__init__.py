"""Files that answer, and explain, where this package is not installed."""

from keras_csg.deployment.exporting import export as export
from keras_csg.deployment.formats.registry import open_exported as open_exported
from keras_csg.deployment.formats.registry import read_metadata as read_metadata
from keras_csg.deployment.graph.answers import (
    answering_model as answering_model,
)
from keras_csg.deployment.metadata import Metadata as Metadata
