"""What each kind of layer needs in order to give fewer channels.

A rule is asked of a layer whose output is to keep some channels alone. It says
which of its inputs' channels that takes, and how its own arguments and weights
change; or nothing, where the layer cannot be cut.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_csg.backbones.mix_transformer import gelu
from keras_csg.layers import (
    FrozenStatisticsBatchNormalization,
    FusedBatchNormalization,
    SelectChannels,
)


class Asked(NamedTuple):
    """What a rule is asked.

    Attributes:
        layer: the layer; `None` for an operation that is none.
        kept: int array, the channels that its output keeps, ascending.
        shapes: of its inputs, tuples of ints and `None`.
        shape: of its output.
    """

    layer: Any
    kept: np.ndarray
    shapes: Sequence[tuple[int | None, ...]]
    shape: tuple[int | None, ...]

    @property
    def width(self) -> int | None:
        """Number of channels of the output as it is."""
        return self.shape[-1]


def unchanged(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Returns weights as they are."""
    return arrays


@dataclasses.dataclass
class Cut:
    """How a layer comes to keep some channels of its output alone.

    Attributes:
        inputs: of each input the channels that are still needed, an int array
            that may be empty; `None` for all.
        changes: dict of arguments of the layer that change.
        weights: callable from the layer's weights to the new layer's.
    """

    inputs: list[np.ndarray | None]
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    weights: Callable[[list[np.ndarray]], list[np.ndarray]] = unchanged


Rule = Callable[[Asked], Cut | None]

SAFE_ACTIVATIONS = (
    "celu elu exponential gelu hard_sigmoid hard_silu hard_swish hard_tanh "
    "leaky_relu linear log_sigmoid mish relu relu6 selu sigmoid silu softplus "
    "softsign swish tanh"
).split()
_EACH_BY_ITSELF = {
    gelu,
    *(
        getattr(keras.activations, name)
        for name in SAFE_ACTIVATIONS
        if hasattr(keras.activations, name)
    ),
}
OPERATIONS = frozenset(
    "Add Subtract Multiply Divide TrueDivide Maximum Minimum Negative Abs "
    "Square Sqrt Clip Relu Relu6 Sigmoid Silu Swish Gelu Elu Selu Tanh "
    "HardSigmoid HardSilu HardSwish LeakyRelu Softplus".split()
)
"""Operations of `keras.ops` on each value by itself, by class name."""


def _is_plain(asked):
    """Whether channels are last, and no activation mixes them."""
    layer = asked.layer
    activation = getattr(layer, "activation", None)
    by_itself = activation is None or activation in _EACH_BY_ITSELF
    order = getattr(layer, "data_format", None) or "channels_last"
    return by_itself and order == "channels_last"


def _last_axis(arrays, kept, width):
    """Returns arrays cut along their last axis; `None` where that is other."""
    if any(array.shape[-1:] != (width,) for array in arrays):
        return None
    return [array[..., kept] for array in arrays]


def pass_on(asked: Asked) -> Cut | None:
    """Layers that treat each channel alike: activation, pooling, dropout."""
    if not _is_plain(asked) or asked.layer.weights:
        return None
    return Cut([asked.kept])


def combine(asked: Asked) -> Cut | None:
    """Sums, products and the like; an input of one channel goes to all."""
    ranks = {len(shape) for shape in asked.shapes}
    widths = {shape[-1] for shape in asked.shapes}
    if len(ranks) > 1 or not widths <= {asked.width, 1}:
        return None
    return Cut(
        [
            asked.kept if shape[-1] == asked.width else None
            for shape in asked.shapes
        ]
    )


def normalize(asked: Asked) -> Cut | None:
    """Batch normalization: each channel has its own weights."""
    if asked.layer.axis not in (-1, len(asked.shape) - 1):
        return None
    return _own_weights(asked)


def parametric(asked: Asked) -> Cut | None:
    """PReLU, where a channel has its own slopes."""
    return _own_weights(asked)


def _own_weights(asked):
    arrays = asked.layer.get_weights()
    if _last_axis(arrays, asked.kept, asked.width) is None:
        return None
    return Cut(
        [asked.kept],
        weights=lambda arrays: _last_axis(arrays, asked.kept, asked.width),
    )


def convolve(asked: Asked) -> Cut | None:
    """Convolution and dense layer: a column of the kernel for each channel."""
    layer = asked.layer
    if not _is_plain(asked) or getattr(layer, "groups", 1) != 1:
        return None
    arrays = layer.get_weights()
    if len(arrays) != 1 + layer.use_bias:  # Quantized, or with an adapter.
        return None
    if _last_axis(arrays, asked.kept, asked.width) is None:
        return None
    size = "units" if isinstance(layer, keras.layers.Dense) else "filters"
    return Cut(
        [None],
        {size: len(asked.kept)},
        lambda arrays: _last_axis(arrays, asked.kept, asked.width),
    )


def convolve_separably(asked: Asked) -> Cut | None:
    """Separable convolution: its second kernel has the channels."""
    if not _is_plain(asked):
        return None

    def weights(arrays):
        return [arrays[0], *_last_axis(arrays[1:], asked.kept, asked.width)]

    return Cut([None], {"filters": len(asked.kept)}, weights)


def convolve_depthwise(asked: Asked) -> Cut | None:
    """Depthwise convolution: a channel comes from the one of its number."""
    layer = asked.layer
    if not _is_plain(asked) or layer.depth_multiplier != 1:
        return None

    def weights(arrays):
        kernel, *bias = arrays
        cut_bias = [array[asked.kept] for array in bias]
        return [kernel[:, :, asked.kept], *cut_bias]

    return Cut([asked.kept], weights=weights)


def concatenate(asked: Asked) -> Cut | None:
    """Concatenation: the channels are shared out among the inputs."""
    if asked.layer.axis not in (-1, len(asked.shape) - 1):
        return None
    inputs: list[np.ndarray | None] = []
    start = 0
    for shape in asked.shapes:
        stop = start + (shape[-1] or 0)
        inside = (asked.kept >= start) & (asked.kept < stop)
        inputs.append(asked.kept[inside] - start)
        start = stop
    return Cut(inputs)


def reshape(asked: Asked) -> Cut | None:
    """A reshape that leaves the channels where they are, last."""
    (shape,), target = asked.shapes, tuple(asked.layer.target_shape)
    if not target or target[-1] in (-1, None) or target[-1] != shape[-1]:
        return None
    new = [*target[:-1], len(asked.kept)]
    return Cut([asked.kept], {"target_shape": new})


def select(asked: Asked) -> Cut | None:
    """A selection that was put there before becomes a smaller one."""
    channels = np.array(asked.layer.channels)[asked.kept]
    return Cut([None], {"channels": channels.tolist()})


def compute(asked: Asked, constants: Sequence[Any]) -> Cut | None:
    """An operation of `keras.ops` on each value, as `x * 0.5 + y`."""
    numbers = (int, float, bool, str, type(None))
    if not all(isinstance(value, numbers) for value in constants):
        return None
    return combine(asked)


RULES: dict[type, Rule] = {
    **dict.fromkeys(
        (
            keras.layers.Activation,
            keras.layers.ReLU,
            keras.layers.LeakyReLU,
            keras.layers.ELU,
            keras.layers.Dropout,
            keras.layers.SpatialDropout2D,
            keras.layers.GaussianDropout,
            keras.layers.GaussianNoise,
            keras.layers.ActivityRegularization,
            keras.layers.Identity,
            keras.layers.MaxPooling2D,
            keras.layers.AveragePooling2D,
            keras.layers.GlobalAveragePooling2D,
            keras.layers.GlobalMaxPooling2D,
            keras.layers.ZeroPadding2D,
            keras.layers.Cropping2D,
            keras.layers.UpSampling2D,
        ),
        pass_on,
    ),
    **dict.fromkeys(
        (
            keras.layers.Add,
            keras.layers.Subtract,
            keras.layers.Multiply,
            keras.layers.Average,
            keras.layers.Maximum,
            keras.layers.Minimum,
        ),
        combine,
    ),
    **dict.fromkeys(
        (
            keras.layers.BatchNormalization,
            FusedBatchNormalization,
            FrozenStatisticsBatchNormalization,
        ),
        normalize,
    ),
    keras.layers.PReLU: parametric,
    keras.layers.Conv2D: convolve,
    keras.layers.Dense: convolve,
    keras.layers.SeparableConv2D: convolve_separably,
    keras.layers.DepthwiseConv2D: convolve_depthwise,
    keras.layers.Concatenate: concatenate,
    keras.layers.Reshape: reshape,
    SelectChannels: select,
}
"""The rule of each kind of layer; subclasses may compute something else."""
