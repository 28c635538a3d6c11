"""Which output of a user's model is the backbone's feature map."""

from typing import Any

import keras


def one_output(backbone: Any, gate_at: str | None = None) -> keras.Model:
    """Returns a model with the one output that is to be gated.

    Of several outputs it is the one that is a feature map, or what the layer
    `gate_at` gives.

    Args:
        backbone: what `keras_csg.build` was given.
        gate_at: str or `None`.

    Returns:
        A functional `keras.Model` of its name, of the same layers.

    Raises:
        ValueError: if it is no such model, or there are several to choose from.
    """
    if not isinstance(backbone, keras.Model):
        raise ValueError(
            "`backbone` must be a name or a `keras.Model`. "
            f"Received: backbone={backbone!r}"
        )
    inputs = keras.tree.flatten(getattr(backbone, "inputs", None) or [])
    if len(inputs) != 1:
        raise ValueError(
            "`backbone` must be a functional or built sequential model with "
            "one input. "
            f"Received: backbone={backbone.name!r} with {len(inputs)} inputs"
        )
    outputs = keras.tree.flatten(backbone.outputs)
    if len(outputs) > 1:
        outputs = _chosen(backbone, outputs, gate_at)
    return keras.Model(inputs[0], outputs[0], name=backbone.name)


def layers_with_maps(network: keras.Model) -> dict[str, Any]:
    """Returns the 4-D outputs of a network's layers by the layers' names."""
    return {
        layer.name: output
        for layer in network.layers
        if len(getattr(output := _output_of(layer), "shape", ())) == 4
    }


def _chosen(backbone, outputs, gate_at):
    known = layers_with_maps(backbone)
    if gate_at in known:
        return [known[gate_at]]
    maps = [output for output in outputs if len(output.shape) == 4]
    if len(maps) == 1 or (maps and gate_at is not None):
        return maps[:1]  # Where `gate_at` is wrong, that is told of then.
    names = [
        name
        for name, output in known.items()
        if any(output is chosen for chosen in maps)
    ]
    raise ValueError(
        f"`backbone` has {len(outputs)} outputs: name the layer whose feature "
        f"map is to be gated with `gate_at`, {_listed(names or [*known])}. "
        f"Received: backbone={backbone.name!r}"
    )


def _listed(names):
    return (
        f"such as {', '.join(names[-4:])}" if names else "of which it has none"
    )


def _output_of(layer):
    """Returns a layer's output; `None` where it was called several times."""
    try:
        return layer.output
    except (AttributeError, ValueError):
        return None
