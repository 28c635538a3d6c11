from keras_csg.explain.activation_map import activation_map
from keras_csg.explain.class_activation import class_activation_map
from keras_csg.explain.gradient_map import gradient_map

MAPS = {
    "cam": class_activation_map,
    "gradient_map": gradient_map,
    "activation_map": activation_map,
}
"""Every kind of map of a class, by its name in the results."""
