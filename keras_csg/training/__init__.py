from keras_csg.training.options import TrainingOptions as TrainingOptions
from keras_csg.training.run_data import load_data_for as load_data_for
from keras_csg.training.run_data import load_run_data as load_run_data
from keras_csg.training.runs import Run as Run
from keras_csg.training.trainer import Trainer as Trainer
