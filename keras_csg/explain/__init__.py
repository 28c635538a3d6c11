"""Maps of what a classifier looks at."""

from keras_csg.explain.activation_map import activation_map as activation_map
from keras_csg.explain.class_activation import (
    class_activation_map as class_activation_map,
)
from keras_csg.explain.explaining import explain as explain
from keras_csg.explain.explanation import Evidence as Evidence
from keras_csg.explain.explanation import Explanation as Explanation
from keras_csg.explain.explanation import Removal as Removal
from keras_csg.explain.gallery import MapGallery as MapGallery
from keras_csg.explain.gallery import map_gallery as map_gallery
from keras_csg.explain.gradient_map import (
    filter_gradient_maps as filter_gradient_maps,
)
from keras_csg.explain.gradient_map import gradient_map as gradient_map
from keras_csg.explain.kinds import MAPS as MAPS
from keras_csg.explain.pictures import Picture as Picture
from keras_csg.explain.randomization import (
    cascading_randomization as cascading_randomization,
)
from keras_csg.explain.seen_images import SeenImages as SeenImages
from keras_csg.explain.seen_images import look_at as look_at
from keras_csg.explain.similarity import rank_correlation as rank_correlation
from keras_csg.explain.similarity import (
    structural_similarity as structural_similarity,
)
