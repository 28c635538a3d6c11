"""Runs a classifier over data and measures it; draws nothing."""

from keras_csg.evaluation.classification import (
    ClassificationResult as ClassificationResult,
)
from keras_csg.evaluation.classification import (
    collect_samples as collect_samples,
)
from keras_csg.evaluation.classification import (
    evaluate_classification as evaluate_classification,
)
from keras_csg.evaluation.classification import measure as measure
from keras_csg.evaluation.features import FeatureExtractor as FeatureExtractor
from keras_csg.evaluation.features import SplitFeatures as SplitFeatures
from keras_csg.evaluation.features import head_of as head_of
from keras_csg.evaluation.filter_survey import FilterSurvey as FilterSurvey
from keras_csg.evaluation.filter_survey import survey_filters as survey_filters
from keras_csg.evaluation.grid_pointing import GridPointing as GridPointing
from keras_csg.evaluation.grid_pointing import (
    evaluate_grid_pointing as evaluate_grid_pointing,
)
from keras_csg.evaluation.localization import (
    evaluate_localization as evaluate_localization,
)
from keras_csg.evaluation.maps import MapResult as MapResult
from keras_csg.evaluation.maps import evaluate_maps as evaluate_maps
from keras_csg.evaluation.maps import evaluate_sanity as evaluate_sanity
from keras_csg.evaluation.run_statistics import difference as difference
from keras_csg.evaluation.run_statistics import (
    mean_and_deviation as mean_and_deviation,
)
from keras_csg.evaluation.temperature import Calibration as Calibration
from keras_csg.evaluation.temperature import (
    fit_calibration as fit_calibration,
)
