from .history import History as History
from .options import TrainingOptions as TrainingOptions
from .runs import Run as Run
from .trainer import Trainer as Trainer
