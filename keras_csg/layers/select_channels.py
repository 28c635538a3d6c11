from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_csg.arguments import whole_number


@keras.saving.register_keras_serializable(package="keras_csg")
class SelectChannels(keras.layers.Layer):
    """Passes some channels on, and drops the others.

    It stands where a network was made smaller but what computes a channel is
    needed elsewhere, or cannot be cut: the channel is still computed there,
    and no longer seen from here on.

    Args:
        channels: list of ints, at least 0. Numbers of the channels to pass
            on, in this order.

    Call arguments:
        features: Tensor of shape `(batch, ..., channels)`.

    Returns:
        Tensor of shape `(batch, ..., len(channels))`.

    Raises:
        ValueError: if there is no channel, one is no number of at least 0, or
            the features have fewer.

    Example:
    >>> features = np.array([[1.0, 2.0, 3.0]], "float32")
    >>> keras.ops.convert_to_numpy(SelectChannels([0, 2])(features))
    array([[1., 3.]], dtype=float32)
    """

    def __init__(self, channels: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = [
            whole_number("channels", channel, 0) for channel in channels
        ]
        if not self.channels:
            raise ValueError(
                "`channels` must name at least one. Received: channels=[]"
            )
        # A constant of the graph: an exported file holds a gather by it.
        self._indices = np.array(self.channels, "int32")

    def build(self, features_shape: tuple[int | None, ...]) -> None:
        """Checks that the features have all of the channels."""
        there = features_shape[-1]
        if there is not None and max(self.channels) >= there:
            raise ValueError(
                f"`channels` must be below {there}, the channels of the "
                f"features. Received: {max(self.channels)}"
            )

    def call(self, features: Any) -> Any:
        """Returns the channels that are passed on."""
        return ops.take(features, self._indices, axis=-1)

    def compute_output_shape(
        self, features_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Returns the shape with as many channels as are passed on."""
        return (*features_shape[:-1], len(self.channels))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for serialisation."""
        return {**super().get_config(), "channels": self.channels}
