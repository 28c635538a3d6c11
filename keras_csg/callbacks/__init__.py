from keras_csg.callbacks.backup import RunBackup as RunBackup
from keras_csg.callbacks.finite_loss import FiniteLoss as FiniteLoss
from keras_csg.callbacks.finite_loss import (
    NonFiniteLossError as NonFiniteLossError,
)
from keras_csg.callbacks.gate_free_metrics import (
    GateFreeMetrics as GateFreeMetrics,
)
from keras_csg.callbacks.gate_images import GateImages as GateImages
from keras_csg.callbacks.gate_scheduler import GateScheduler as GateScheduler
