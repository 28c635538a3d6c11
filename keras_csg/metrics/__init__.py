from keras_csg.metrics.ablation import Ablation as Ablation
from keras_csg.metrics.ablation import ablation as ablation
from keras_csg.metrics.ablation import ablation_confusion as ablation_confusion
from keras_csg.metrics.average_precision import (
    MultiLabelAblation as MultiLabelAblation,
)
from keras_csg.metrics.average_precision import (
    average_precision as average_precision,
)
from keras_csg.metrics.average_precision import (
    mean_average_precision as mean_average_precision,
)
from keras_csg.metrics.average_precision import (
    multi_label_ablation as multi_label_ablation,
)
from keras_csg.metrics.calibration import Reliability as Reliability
from keras_csg.metrics.calibration import reliability as reliability
from keras_csg.metrics.correlation import FilterCorrelation as FilterCorrelation
from keras_csg.metrics.correlation import (
    filter_correlation as filter_correlation,
)
from keras_csg.metrics.duplicate_filters import (
    duplicate_filters as duplicate_filters,
)
from keras_csg.metrics.filter_localization import (
    filter_localization as filter_localization,
)
from keras_csg.metrics.filter_recall import FilterRecall as FilterRecall
from keras_csg.metrics.filter_recall import filter_recall as filter_recall
from keras_csg.metrics.gates import classes_of_filters as classes_of_filters
from keras_csg.metrics.gates import dead_filters as dead_filters
from keras_csg.metrics.gates import filters_per_class as filters_per_class
from keras_csg.metrics.gates import l1_density as l1_density
from keras_csg.metrics.gates import l1_interval as l1_interval
from keras_csg.metrics.gates import ordered_by_class as ordered_by_class
from keras_csg.metrics.gates import own_filters as own_filters
from keras_csg.metrics.gates import shared_filters as shared_filters
from keras_csg.metrics.grid_pointing_game import (
    grid_pointing_game as grid_pointing_game,
)
from keras_csg.metrics.head import Head as Head
from keras_csg.metrics.head import check_samples as check_samples
from keras_csg.metrics.localization import (
    intersection_over_union as intersection_over_union,
)
from keras_csg.metrics.localization import (
    localization_figures as localization_figures,
)
from keras_csg.metrics.localization import pointing_game as pointing_game
from keras_csg.metrics.localization import top_pixels as top_pixels
from keras_csg.metrics.localization_baselines import (
    baseline_figures as baseline_figures,
)
from keras_csg.metrics.mutual_information import (
    mutual_information as mutual_information,
)
from keras_csg.metrics.mutual_information import (
    mutual_information_score as mutual_information_score,
)
from keras_csg.metrics.mutual_information import specificity as specificity
from keras_csg.metrics.path_accuracy import accuracy as accuracy
from keras_csg.metrics.path_accuracy import (
    class_specific_accuracy as class_specific_accuracy,
)
from keras_csg.metrics.path_accuracy import (
    complement_accuracy as complement_accuracy,
)
from keras_csg.metrics.path_accuracy import (
    complement_probability as complement_probability,
)
from keras_csg.metrics.path_accuracy import gated_accuracy as gated_accuracy
from keras_csg.metrics.path_accuracy import gated_logits as gated_logits
from keras_csg.metrics.path_accuracy import own_accuracy as own_accuracy
from keras_csg.metrics.path_accuracy import (
    standard_accuracy as standard_accuracy,
)
from keras_csg.metrics.residual_information import (
    ResidualInformation as ResidualInformation,
)
from keras_csg.metrics.residual_information import (
    residual_information as residual_information,
)
from keras_csg.metrics.shuffled_gate import ShuffledGate as ShuffledGate
from keras_csg.metrics.shuffled_gate import shuffled_gate as shuffled_gate
from keras_csg.metrics.shuffled_gate import shuffled_rows as shuffled_rows
from keras_csg.metrics.temperature import fit_temperature as fit_temperature
