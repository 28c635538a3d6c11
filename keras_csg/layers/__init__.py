"""The gate, and the layers that make training with it fast."""

from keras_csg.layers.batch_normalization import (
    FusedBatchNormalization as FusedBatchNormalization,
)
from keras_csg.layers.batch_normalization import (
    fuse_batch_normalization as fuse_batch_normalization,
)
from keras_csg.layers.batch_statistics import (
    measure_statistics as measure_statistics,
)
from keras_csg.layers.csg_gate import CSGGate as CSGGate
from keras_csg.layers.csg_gate import GateSparsity as GateSparsity
from keras_csg.layers.csg_gate import UnitMaxGate as UnitMaxGate
from keras_csg.layers.frozen_statistics import (
    FrozenStatisticsBatchNormalization as FrozenStatisticsBatchNormalization,
)
from keras_csg.layers.frozen_statistics import (
    freeze_statistics as freeze_statistics,
)
from keras_csg.layers.image_normalization import (
    ImageNormalization as ImageNormalization,
)
from keras_csg.layers.select_channels import SelectChannels as SelectChannels
