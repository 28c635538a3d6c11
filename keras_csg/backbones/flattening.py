from collections.abc import Callable, Collection

import keras


def flat_features(
    network: keras.Model,
    images: keras.KerasTensor,
    replace: Callable[[keras.Layer], keras.Layer | None] | None = None,
    reserved: Collection[str] = (),
) -> keras.KerasTensor:
    """Rebuilds a network's graph on other images, without models inside.

    A `Sequential` inside becomes its layers: many tools look at the layers of
    a model and do not see into nested ones. The layers are new, with the
    weights of the old; so each belongs to one graph only.

    Args:
        network: functional `keras.Model` with one input and one output.
        images: Keras tensor of shape `(batch, height, width, 3)`.
        replace: callable or None. `replace(layer)` returns the layer to put
            in the place of one of the network's, or `None` to copy it. The new
            layer's weights are the old ones, reshaped; it may have none.
        reserved: names that the caller gives to layers of the same graph; a
            layer of the network that has one gets an underscore behind it.

    Returns:
        Keras tensor, the network's output for `images`.
    """
    originals = {}
    latest = images

    def copy(layer):
        if isinstance(layer, keras.Sequential):
            return layer  # Its layers are copied where it is called.
        new = replace(layer) if replace else None
        if new is None:
            new = layer.__class__.from_config(layer.get_config())
        while new.name in reserved:
            new.name += "_"
        originals[id(new)] = layer
        return new

    def call(layer, *args, **kwargs):
        nonlocal latest
        if isinstance(layer, keras.Sequential):
            (latest,) = args
            for inner in layer.layers:
                call(copy(inner), latest)
            return latest
        latest = layer(*args, **kwargs)
        if isinstance(layer, keras.Layer):
            _copy_weights(originals[id(layer)], layer)
        return latest

    keras.models.clone_model(
        network,
        input_tensors=images,
        clone_function=copy,
        call_function=call,
    )
    # Not the clone's own output: where `images` are not a model's inputs but
    # come out of a layer, Keras gives the clone a graph apart from theirs.
    return latest


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


def _copy_weights(old, new):
    if not new.weights:
        return
    new.set_weights(
        [
            old_weight.reshape(new_weight.shape)
            for old_weight, new_weight in zip(
                old.get_weights(), new.weights, strict=True
            )
        ]
    )
