"""What a gated classifier asks of an optimizer."""

from keras_csg.optimizers.averages import averages_of as averages_of
from keras_csg.optimizers.averages import take_averages as take_averages
from keras_csg.optimizers.fused_sgd import FusedSGD as FusedSGD
from keras_csg.optimizers.fused_sgd import fuse_updates as fuse_updates
from keras_csg.optimizers.rates import scale_rates as scale_rates
from keras_csg.optimizers.weight_decay import (
    exclude_from_weight_decay as exclude_from_weight_decay,
)
