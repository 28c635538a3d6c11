from .head_phase import train_head as train_head
from .history import History as History
from .options import TrainingOptions as TrainingOptions
from .run_data import load_data_for as load_data_for
from .run_data import load_run_data as load_run_data
from .runs import Run as Run
from .trainer import Trainer as Trainer
