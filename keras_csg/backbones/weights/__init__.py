"""Weights that were trained elsewhere: found, compared, put into a backbone."""

from keras_csg.backbones.weights.loading import load_weights as load_weights
from keras_csg.backbones.weights.loading import (
    report_named_weights as report_named_weights,
)
from keras_csg.backbones.weights.model_file import (
    read_model_file as read_model_file,
)
from keras_csg.backbones.weights.report import WeightsReport as WeightsReport
from keras_csg.backbones.weights.shipped import WeightsCard as WeightsCard
from keras_csg.backbones.weights.shipped import find_card as find_card
from keras_csg.backbones.weights.shipped import list_cards as list_cards
from keras_csg.backbones.weights.shipped import read_card as read_card
from keras_csg.backbones.weights.source import means_a_file as means_a_file
