"""Classifiers with fewer filters and classes, without any training."""

from keras_csg.edit.choosing import gate_of as gate_of
from keras_csg.edit.edits import keep_classes as keep_classes
from keras_csg.edit.edits import prune_dead as prune_dead
from keras_csg.edit.edits import prune_shared as prune_shared
from keras_csg.edit.edits import remove_class as remove_class
from keras_csg.edit.edits import remove_filters as remove_filters
from keras_csg.edit.report import EditReport as EditReport
