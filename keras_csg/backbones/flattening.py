from collections.abc import Callable, Collection

import keras

from keras_csg.layers.states import fresh_copy, take_state


def flat_features(
    network: keras.Model,
    images: keras.KerasTensor,
    replace: Callable[[keras.Layer], keras.Layer | None] | None = None,
    reserved: Collection[str] = (),
) -> keras.KerasTensor:
    """Rebuilds a network's graph on other images, without models inside.

    A `Sequential` inside becomes its layers: many tools look at the layers of
    a model and do not see into nested ones. The layers are new, with what the
    old have learnt and were adapted to; so each belongs to one graph only.

    Args:
        network: functional `keras.Model` with one input and one output.
        images: Keras tensor of shape `(batch, height, width, 3)`.
        replace: callable or None. `replace(layer)` returns the layer to put
            in the place of one of the network's, or `None` to copy it. The new
            layer's weights are the old ones, reshaped; it may have none.
        reserved: names that the caller gives to layers of the same graph; a
            layer of the network that has one gets underscores behind it, as
            does one within a `Sequential` whose name another layer has.

    Returns:
        Keras tensor, the network's output for `images`.
    """
    copies = _Copies(network, replace, reserved)
    latest = images

    def call(layer, *args, **kwargs):
        nonlocal latest
        if isinstance(layer, keras.Sequential):
            (latest,) = args
            for inner in layer.layers:
                call(copies.of(inner), latest)
            return latest
        latest = layer(*args, **kwargs)
        copies.fill(layer)
        return latest

    keras.models.clone_model(
        network,
        input_tensors=images,
        clone_function=copies.of,
        call_function=call,
    )
    # Not the clone's own output: where `images` are not a model's inputs but
    # come out of a layer, Keras gives the clone a graph apart from theirs.
    return keras.tree.flatten(latest)[_output_number(network)]


def _output_number(network):
    """Returns which of its last layer's outputs is the network's."""
    # A subclass, as of KerasCV and KerasHub, has a config of its own.
    plain = keras.Model(network.inputs, network.outputs)
    history = plain.get_config()["output_layers"]
    while not isinstance(history[0], str):
        history = history[0]
    return history[-1]


class _Copies:
    """The new layers of a network, one for each, whose names are unique."""

    def __init__(self, network, replace, reserved):
        self._replace = replace or (lambda layer: None)
        self._reserved = set(reserved)
        self._known = {layer.name for layer in _without_sequentials(network)}
        self._used = set()
        self._copies = {}
        self._empty = {}

    def of(self, layer):
        """Returns the copy of a layer, the same for each call of it."""
        if isinstance(layer, keras.Sequential):
            return layer  # Its layers are copied where it is called.
        if id(layer) not in self._copies:
            new = self._replace(layer) or fresh_copy(layer)
            new.name = self._free(layer.name)
            self._copies[id(layer)] = new
            if isinstance(layer, keras.Layer):  # Else a function.
                self._empty[id(new)] = layer
        return self._copies[id(layer)]

    def fill(self, copy):
        """Gives a copy that was built its state, once."""
        original = self._empty.pop(id(copy), None)
        if original is not None:
            take_state(copy, original)

    def _free(self, name):
        if name in self._reserved | self._used:
            while name in self._reserved | self._used | self._known:
                name += "_"
        self._used.add(name)
        return name


def _without_sequentials(network):
    """Yields the layers of a network, and for a `Sequential` those inside."""
    for layer in getattr(network, "operations", network.layers):
        if isinstance(layer, keras.Sequential):
            yield from _without_sequentials(layer)
        else:
            yield layer


def as_depthwise(layer: keras.Layer) -> keras.Layer | None:
    """Returns a depthwise convolution for one that is written as a grouped.

    Those of ConvNeXt and MobileNet in places are; no ONNX file can hold a
    grouped one, which Keras runs as a compiled function.

    Args:
        layer: any layer of Keras, built.

    Returns:
        `keras.layers.DepthwiseConv2D`, for `flat_features` to put in its
        place, or `None` for any other layer.
    """
    if not isinstance(layer, keras.layers.Conv2D) or layer.groups == 1:
        return None
    if layer.filters != layer.groups or layer.kernel.shape[2] != 1:
        return None
    return keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        activation=layer.activation,
        use_bias=layer.use_bias,
        depthwise_initializer=layer.kernel_initializer.clone(),
        name=layer.name,
    )
