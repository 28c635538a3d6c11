"""Presets of KerasHub: what each says of itself, before weights are read."""

import contextlib
import dataclasses
import difflib
import os
import sys
from collections.abc import Iterator
from typing import Any

from keras_csg.backbones.weights.model_file import reason_of
from keras_csg.choices import HUB_PREFIX, PRESET_WEIGHTS
from keras_csg.files import at_home

KINDS = (
    "a preset of KerasHub for images, a kaggle:// or hf:// handle, or a folder "
    "that `save_to_preset` wrote"
)
USUAL_SIZE = 224
"""Side of the images where a preset does not say it."""
WITH_CLASS_TOKENS = ("deit", "vit")
"""Families of KerasHub's own presets whose tokens are not all of patches."""


@dataclasses.dataclass(frozen=True)
class HubPreset:
    """A preset whose network turns images into features.

    Args:
        name: str. As KerasHub takes it; of a folder the absolute path.
        backbone_class: type. Its subclass of `keras_hub.models.Backbone`.
        converter: its `keras_hub.layers.ImageConverter`.
    """

    name: str
    backbone_class: type
    converter: Any

    @property
    def family(self) -> str:
        """Name of the architecture, such as `"ResNet"`."""
        return self.backbone_class.__name__.removesuffix("Backbone")

    @property
    def image_size(self) -> int:
        """Side of the images that the preset was trained for, in pixels."""
        return (self.converter.image_size or (USUAL_SIZE,))[0]


def find_preset(name: str) -> HubPreset:
    """Reads what a preset says of itself; of one that is not here, from afar.

    Args:
        name: str, without `hub:`.

    Returns:
        `HubPreset`.

    Raises:
        ValueError: if keras-hub is not installed, there is no such preset, or
            it is none of a network for images.
        OSError: if it cannot be downloaded.
    """
    keras_hub = import_keras_hub(name)
    name = _lasting(name, keras_hub)
    with reading(name):
        converter = keras_hub.layers.ImageConverter.from_preset(name)
    backbone_class = converter.backbone_cls
    if backbone_class not in _image_classes(keras_hub):
        raise ValueError(
            f"The backbone must be {KINDS}, and this is a preset of "
            f"{backbone_class.__name__}, which classifies no images. "
            f"Received: backbone={HUB_PREFIX + name!r}"
        )
    return HubPreset(name, backbone_class, converter)


def describe_presets() -> list[dict]:
    """Returns a line about each preset of KerasHub that can be a backbone.

    Nothing is downloaded.

    Returns:
        A list of dicts with the keys of `describe_backbones`, in the order of
        family and size; what KerasHub does not say is `None`.

    Raises:
        ValueError: if keras-hub is not installed.
    """
    presets = import_keras_hub("").models.ImageClassifier.presets
    lines = [
        {
            "name": HUB_PREFIX + name,
            "family": preset["metadata"].get("path"),
            "parameters": preset["metadata"].get("params"),
            "filters": None,
            "default_size": None,
            "min_size": None,
            "weights": [PRESET_WEIGHTS],
        }
        for name, preset in presets.items()
        if preset["metadata"].get("path") not in WITH_CLASS_TOKENS
    ]
    return sorted(lines, key=lambda x: (x["family"] or "", x["parameters"]))


def import_keras_hub(name: str) -> Any:
    """Returns the module `keras_hub`, which takes seconds to import.

    Args:
        name: str. The preset that needs it.

    Raises:
        ValueError: if it is not installed.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise ValueError(
            "Presets of KerasHub need the package keras-hub: "
            f"`pip install 'keras-csg[hub]'` ({reason_of(error)}). "
            f"Received: {HUB_PREFIX + name!r}"
        ) from None
    return keras_hub


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Says in one line that a preset could not be read.

    KerasHub tells of downloads on stdout, which is for results.

    Args:
        name: str. The preset, without `hub:`.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except FileNotFoundError as error:
        raise ValueError(
            f"The preset {name} is not whole: {_reason(error)}. "
            "`backbone.save_to_preset(PATH)` writes the network and "
            "`converter.save_to_preset(PATH)` how its images are scaled. "
            f"Received: backbone={HUB_PREFIX + name!r}"
        ) from error
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"The preset {name} cannot be read: {_reason(error)}. The "
            f"backbone must be {KINDS}. "
            f"Received: backbone={HUB_PREFIX + name!r}"
        ) from error
    except OSError as error:
        raise OSError(
            f"The preset {name} cannot be read: {_reason(error)}. Names and "
            "handles need a network the first time; a folder that "
            "`save_to_preset` wrote needs none. "
            f"Received: backbone={HUB_PREFIX + name!r}"
        ) from error


def _reason(error):
    return reason_of(error).rstrip(".")


def _lasting(name, keras_hub):
    """Returns a preset's name, of a folder its path wherever one stands."""
    if name in keras_hub.models.Backbone.presets:
        _check_images(name, keras_hub)
        return name
    if "://" in name:
        return name
    folder = at_home(name or "-")
    if folder.is_dir():
        return os.path.abspath(folder)
    known = keras_hub.models.ImageClassifier.presets
    near = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
    raise ValueError(
        f"The backbone must be {KINDS}"
        + (f"; the nearest are {', '.join(near)}. " if near else ". ")
        + f"Received: backbone={HUB_PREFIX + name!r}"
    )


def _check_images(name, keras_hub):
    """Refuses a preset of KerasHub's own before anything is downloaded."""
    if name in keras_hub.models.ImageClassifier.presets:
        return
    raise ValueError(
        f"The backbone must be {KINDS}, and {name} is none for classes of "
        "images: `keras-csg backbones hub:` lists those. "
        f"Received: backbone={HUB_PREFIX + name!r}"
    )


def _image_classes(keras_hub):
    """Returns the backbone classes that KerasHub classifies images with."""
    classifiers = keras_hub.models.ImageClassifier.__subclasses__()
    return {classifier.backbone_cls for classifier in classifiers}
