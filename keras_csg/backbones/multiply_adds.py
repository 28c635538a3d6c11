"""What one image costs a network."""

import math

import keras

from keras_csg.private_api import flat_layers

KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def multiply_adds(model: keras.Model) -> int:
    """Counts the multiplications of one image by weights, in one pass.

    Those of convolutions and dense layers: each entry of a kernel is used once
    at each place of the output. What little normalisation and activations add
    is left out, as are products of activations with each other in attention.

    Args:
        model: functional `keras.Model` with a known size of its images.

    Returns:
        int; half the floating-point operations that others count.

    Raises:
        ValueError: if the images' size is not known, or a layer with a kernel
            is hidden in another, where nobody knows how often it is used.
    """
    if None in model.input_shape[1:]:
        raise ValueError(
            "The images must have a size to count for. Received: a model of "
            f"inputs {model.input_shape}"
        )
    return sum(map(_of_layer, flat_layers(model)))


def _of_layer(layer):
    found = [getattr(layer, name, None) for name in KERNELS]
    entries = [math.prod(k.shape) for k in found if k is not None]
    if not entries:
        return 0
    try:
        shape = layer.output.shape
    except AttributeError as error:
        raise ValueError(
            "Layers must be in the model's graph. Received: "
            f"{layer.name!r}, which is hidden in another"
        ) from error
    return sum(entries) * math.prod(shape[1:-1])
