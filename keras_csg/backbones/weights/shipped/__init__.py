"""Weights that come with the package: a file and a card each, by name."""

from keras_csg.backbones.weights.shipped.cards import WeightsCard as WeightsCard
from keras_csg.backbones.weights.shipped.cards import find_card as find_card
from keras_csg.backbones.weights.shipped.cards import list_cards as list_cards
from keras_csg.backbones.weights.shipped.cards import read_card as read_card
