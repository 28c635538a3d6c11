"""Folds batch normalisations into the convolutions before them."""

import collections

import keras
import numpy as np

# Those whose last weights are a kernel and, with `use_bias`, the bias.
FOLDABLE_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def fold_batch_normalization(network: keras.Model) -> keras.Model:
    """Rebuilds a network for inference with fewer layers.

    A batch normalisation is an affine map of each channel once training is
    over. After a convolution whose output nothing else uses, it goes into the
    kernel and the bias; elsewhere, as in a DenseNet or a ResNetV2, it stays.

    Args:
        network: functional `keras.Model` without models inside.

    Returns:
        A functional `keras.Model` with the same inputs and outputs. It shares
        the layers that did not change.
    """
    pairs = _find_pairs(network)
    folded = {
        convolution.name: _fold(convolution, normalization)
        for normalization, convolution in pairs.items()
    }

    def clone(layer):
        if layer.name not in folded:
            return layer
        config = {**layer.get_config(), "use_bias": True}
        return layer.__class__.from_config(config)

    def call(layer, *args, **kwargs):
        if layer in pairs:
            return args[0]
        outputs = layer(*args, **kwargs)
        if layer.name in folded:
            layer.set_weights(folded[layer.name])
        return outputs

    return keras.models.clone_model(
        network, clone_function=clone, call_function=call
    )


def _find_pairs(network):
    """Returns the convolution of each normalisation that can be folded."""
    config = network.get_config()
    sources = {
        layer["name"]: _sources(layer["inbound_nodes"])
        for layer in config["layers"]
    }
    uses = collections.Counter(_names(config["output_layers"]))
    for names in sources.values():
        uses.update(names)
    pairs = {}
    for layer in network.layers:
        if _is_channel_normalization(layer) and len(sources[layer.name]) == 1:
            (name,) = sources[layer.name]
            before = network.get_layer(name)
            if _is_linear_convolution(before) and uses[name] == 1:
                pairs[layer] = before
    return pairs


def _sources(nodes):
    """Returns the names of the layers whose outputs a layer is called on."""
    if isinstance(nodes, dict):
        if "keras_history" in nodes:
            return [nodes["keras_history"][0]]
        nodes = list(nodes.values())
    if isinstance(nodes, list | tuple):
        return [name for node in nodes for name in _sources(node)]
    return []


def _names(outputs):
    """Returns the layers' names in a nest of `[name, node, tensor]`."""
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    if outputs and isinstance(outputs[0], str):
        return [outputs[0]]
    return [name for output in outputs for name in _names(output)]


def _is_channel_normalization(layer):
    return (
        type(layer) is keras.layers.BatchNormalization
        and not layer.renorm
        and layer.axis in (-1, 3)
    )


def _is_linear_convolution(layer):
    return (
        type(layer) in FOLDABLE_CONVOLUTIONS
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
    )


def _fold(convolution, normalization):
    """Returns the weights of a convolution that also normalises."""
    weights = list(convolution.get_weights())
    bias = weights.pop() if convolution.use_bias else np.float32(0)
    *others, kernel = weights
    scale, offset = _affine(normalization)
    kernel_scale = scale
    if isinstance(convolution, keras.layers.DepthwiseConv2D):
        kernel_scale = scale.reshape(kernel.shape[-2:])
    return [*others, kernel * kernel_scale, bias * scale + offset]


def _affine(normalization):
    """Returns scale and offset of each channel, in double precision."""

    def weight(name, default):
        variable = getattr(normalization, name)
        if variable is None:
            return default
        return keras.ops.convert_to_numpy(variable).astype("float64")

    variance = weight("moving_variance", None)
    scale = weight("gamma", 1.0) / np.sqrt(variance + normalization.epsilon)
    return scale, weight("beta", 0.0) - weight("moving_mean", None) * scale
