import dataclasses
import difflib
import re
from collections.abc import Callable
from typing import Any

import keras

from keras_csg.choices import RANDOM_WEIGHTS

Builder = Callable[[keras.KerasTensor, str | None], keras.KerasTensor]

_SPECS: dict[str, "BackboneSpec"] = {}
_FINDERS: dict[str, Callable[[str], "BackboneSpec"]] = {}


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """What is known of a backbone before it is built.

    Args:
        name: str. Canonical name, lower case without separators.
        family: str. Name of the architecture, as people write it.
        default_size: int. Side of the images the network was designed for.
        min_size: int. Side of the smallest images it can take.
        weights: tuple of str. Pretrained weights that can be asked for.
        default_weights: str or None. Those that it has where nobody says;
            `None` for random ones.
        model_name: str or None. What its `keras.Model` is called, where that
            is not `name`.
        size_multiple: int. Each side must be a multiple of it.
        static_shape: bool. Whether height and width have to be known.
        builder: callable. `builder(images, weights)` maps a Keras tensor of
            RGB images in 0..255 to the feature map, a 4-D Keras tensor.
    """

    name: str
    family: str
    default_size: int
    min_size: int
    builder: Builder = dataclasses.field(repr=False)
    weights: tuple[str, ...] = ()
    default_weights: str | None = None
    model_name: str | None = None
    size_multiple: int = 1
    static_shape: bool = False


def register_backbone(name: str, **spec: Any) -> Callable[[Builder], Builder]:
    """Makes the decorated builder available under a name.

    Args:
        name: str. Name of the backbone; case, `-` and `_` do not count.
        **spec: The other fields of `BackboneSpec` but `builder`.

    Returns:
        A decorator that returns the builder unchanged.

    Raises:
        ValueError: if the name is taken.

    Example:
        >>> @register_backbone(
        ...     "tiny", family="Tiny", default_size=32, min_size=8
        ... )
        ... def tiny(images, weights):
        ...     return keras.layers.Conv2D(8, 3, activation="relu")(images)
    """
    name = canonical_name(name)

    def register(builder):
        if name in _SPECS:
            raise ValueError(
                "A backbone's name must be new, and this one is taken by the "
                f"family {_SPECS[name].family}. Received: name={name}"
            )
        _SPECS[name] = BackboneSpec(name=name, builder=builder, **spec)
        return builder

    return register


def register_prefix(
    prefix: str,
) -> Callable[[Callable[[str], BackboneSpec]], Callable[[str], BackboneSpec]]:
    """Makes the decorated function answer for all names with a prefix.

    Args:
        prefix: str, such as `"hub:"`.

    Returns:
        A decorator that returns the function unchanged, which returns the
        `BackboneSpec` of a name with the prefix.
    """

    def register(find):
        _FINDERS[prefix] = find
        return find

    return register


def canonical_name(name: str) -> str:
    """Returns a backbone's name in lower case without `-` and `_`."""
    return name.lower().replace("-", "").replace("_", "")


def list_backbones() -> list[str]:
    """Returns the names of all backbones, family by family."""
    return sorted(_SPECS, key=_family_and_number)


def _family_and_number(name):
    # The digits as a number: resnet50 comes before resnet101.
    parts = re.split(r"(\d+)", name)
    parts[1::2] = map(int, parts[1::2])
    return _SPECS[name].family.lower(), parts


def nearest_names(name: str) -> list[str]:
    """Returns up to five registered names that look like `name`."""
    return difflib.get_close_matches(
        canonical_name(name), _SPECS, n=5, cutoff=0.5
    )


def backbone_spec(name: str) -> BackboneSpec:
    """Returns the `BackboneSpec` of a name.

    Raises:
        ValueError: if there is none, with the nearest names.
        OSError: if what is known of it cannot be downloaded.
    """
    for prefix, find in _FINDERS.items():
        if name.startswith(prefix):
            return find(name)
    spec = _SPECS.get(canonical_name(name))
    if spec is None:
        near = ", ".join(nearest_names(name))
        raise ValueError(
            "The backbone must be one of those that "
            "`keras_csg.list_backbones()` or `keras-csg backbones` lists"
            + (f"; the nearest are {near}. " if near else ". ")
            + f"Received: backbone={name!r}"
        )
    return spec


def chosen_weights(spec: BackboneSpec, weights: Any) -> Any:
    """Returns the weights to start from, `None` for random ones.

    Args:
        spec: `BackboneSpec`.
        weights: `None` for those that the backbone comes with, if any;
            `"random"`; or others, by name or path.
    """
    if weights is None:
        return spec.default_weights
    return None if weights == RANDOM_WEIGHTS else weights


def create_backbone(
    name: str,
    *,
    input_shape: tuple[int | None, ...] | None = None,
    weights: str | None = None,
) -> keras.Model:
    """Builds a backbone by name.

    Args:
        name: str. One of `list_backbones()`, where case, `-` and `_` do not
            count; or `hub:PRESET`, a preset of KerasHub.
        input_shape: tuple `(height, width, 3)`. Height and width may be `None`
            where the network does not need to know them. By default the size
            the network was designed for.
        weights: `None` for random weights, of `hub:PRESET` its own; or
            `"random"`, or `"imagenet"` where the network has them.

    Returns:
        A functional `keras.Model` named after the backbone, without models
        inside. It takes RGB images in 0..255 of shape `(batch, height, width,
        3)` and returns one feature map `(batch, rows, columns, filters)`.

    Raises:
        ValueError: if there is no such backbone, if it has no such weights or
            cannot take images of this shape.
        OSError: if the weights cannot be downloaded.
    """
    spec = backbone_spec(name)
    if input_shape is None:
        input_shape = (spec.default_size, spec.default_size, 3)
    weights = chosen_weights(spec, weights)
    _check_weights(spec, weights)
    _check_input_shape(spec, tuple(input_shape))
    images = keras.Input(tuple(input_shape), name="images")
    features = spec.builder(images, weights)
    if len(features.shape) != 4:
        raise ValueError(
            "A backbone must return one 4-D feature map. "
            f"Received: name={spec.name}, shape={tuple(features.shape)}"
        )
    return keras.Model(images, features, name=spec.model_name or spec.name)


def _check_weights(spec, weights):
    if weights is None or weights in spec.weights:
        return
    families = dict.fromkeys(
        other.family for other in _SPECS.values() if weights in other.weights
    )
    known = f" Those weights exist for {', '.join(families)}."
    raise ValueError(
        f"`weights` of {spec.name} must be "
        + " or ".join(["None", *map(repr, spec.weights)])
        + "."
        + (known if families else "")
        + f" Received: weights={weights!r}"
    )


def _check_input_shape(spec, shape):
    if len(shape) != 3 or shape[-1] != 3:
        raise ValueError(
            "`input_shape` must be (height, width, 3), for RGB images. "
            f"Received: input_shape={shape}"
        )
    sides = [side for side in shape[:2] if side is not None]
    if len(sides) < 2 and spec.static_shape:
        raise ValueError(
            f"{spec.name} must know the height and the width of its images. "
            f"Received: input_shape={shape}"
        )
    if any(side < spec.min_size for side in sides):
        raise ValueError(
            f"{spec.name} must have images of at least {spec.min_size}x"
            f"{spec.min_size}: take a bigger image size, or a network for "
            f"small images such as resnet20. Received: input_shape={shape}"
        )
    if any(side % spec.size_multiple for side in sides):
        raise ValueError(
            f"{spec.name} must have images whose sides are multiples of "
            f"{spec.size_multiple}. Received: input_shape={shape}"
        )
