from keras_csg.explain.activation_map import activation_map as activation_map
from keras_csg.explain.class_activation import (
    class_activation_map as class_activation_map,
)
from keras_csg.explain.gradient_map import (
    filter_gradient_maps as filter_gradient_maps,
)
from keras_csg.explain.gradient_map import gradient_map as gradient_map
from keras_csg.explain.randomization import (
    cascading_randomization as cascading_randomization,
)
