from keras_csg.training.options import TrainingOptions as TrainingOptions
from keras_csg.training.runs import Run as Run
from keras_csg.training.trainer import Trainer as Trainer
