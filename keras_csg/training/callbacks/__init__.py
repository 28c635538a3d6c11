"""What is done after an epoch of a run."""

from keras_csg.training.callbacks.averaged_validation import (
    AveragedValidation as AveragedValidation,
)
from keras_csg.training.callbacks.backup import RunBackup as RunBackup
from keras_csg.training.callbacks.best_epoch import BestEpoch as BestEpoch
from keras_csg.training.callbacks.finite_loss import FiniteLoss as FiniteLoss
from keras_csg.training.callbacks.finite_loss import (
    NonFiniteLossError as NonFiniteLossError,
)
from keras_csg.training.callbacks.gate_free_metrics import (
    GateFreeMetrics as GateFreeMetrics,
)
from keras_csg.training.callbacks.gate_images import GateImages as GateImages
