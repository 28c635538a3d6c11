from keras_csg.data.augmentation.augmentation import (
    Augmentation as Augmentation,
)
from keras_csg.data.augmentation.keyed_layer import KeyedLayer as KeyedLayer
