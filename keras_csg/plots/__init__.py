"""Draws figures and maps into files. Importing it loads matplotlib."""

from keras_csg.plots.examples import save_examples as save_examples
from keras_csg.plots.maps import save_maps as save_maps
from keras_csg.plots.maps import save_overlay as save_overlay
from keras_csg.plots.robustness import save_robustness as save_robustness
from keras_csg.plots.runs import save_ablation as save_ablation
from keras_csg.plots.runs import (
    save_ablation_confusion as save_ablation_confusion,
)
from keras_csg.plots.runs import save_confusion as save_confusion
from keras_csg.plots.runs import save_curves as save_curves
from keras_csg.plots.runs import save_gate as save_gate
