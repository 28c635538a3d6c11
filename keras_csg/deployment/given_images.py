"""Images that somebody gave to prove or calibrate an exported file on."""

import numpy as np

from keras_csg.data.pixel_levels import PixelLevels
from keras_csg.deployment.formats.base import check_request
from keras_csg.deployment.metadata import Metadata

RANDOM_IMAGES = 16
ANY_SIDE = 64
"""Of random images for a model that takes any; the deepest halve it 5 times."""
LEAST_CONTRAST = 1.0
"""Standard deviation, in grey levels, of all values of a set of pictures."""
LEAST_CALIBRATION = 16
"""Images to calibrate on and to prove a file on as well."""


def check_given(name: str, images: np.ndarray, scales_bytes: bool) -> None:
    """Refuses images that a network was not trained on the like of.

    Such prove nothing: to a network that scales bytes images in 0..1 are all
    black, and a file agrees with it on whatever it calibrated on them.

    Args:
        name: str. What the argument is called.
        images: array.
        scales_bytes: bool. Whether the network is known to take 0..255: it
            scales them itself. Of others nobody knows the range.

    Raises:
        ValueError: if a value is no finite number, or the images are not such
            as go into the network.
    """
    images = np.asarray(images)
    if not images.size:
        return  # Its shape is complained of elsewhere.
    if images.dtype.kind not in "fiub":
        raise ValueError(
            f"`{name}` must be an array of numbers. "
            f"Received: {name}.dtype={images.dtype}"
        )
    broken = [i for i, x in enumerate(images) if not np.isfinite(x).all()]
    if broken:
        raise ValueError(
            f"`{name}` must hold finite numbers in 0..255. "
            f"Received: NaN or infinity in image {broken[0]}"
        )
    if not scales_bytes:
        return
    levels = PixelLevels(name)
    levels.see(images)
    levels.check()


def check_contrast(name: str, images: np.ndarray, scales_bytes: bool) -> None:
    """Refuses images of one colour, on which a quantised file shows nothing.

    Args:
        name: see `check_given`.
        images: see `check_given`.
        scales_bytes: see `check_given`.

    Raises:
        ValueError: if all values of all images are nearly the same.
    """
    images = np.asarray(images)
    if not scales_bytes or not images.size:
        return
    deviation = float(images.std(dtype="float64"))
    if deviation < LEAST_CONTRAST:
        raise ValueError(
            f"`{name}` must be pictures: these are nearly of one colour, and "
            "say nothing of a quantised file. Received: "
            f"{name} with a standard deviation of {deviation:.3g} of 255"
        )


def images_to_prove_on(
    metadata: Metadata,
    images: np.ndarray | None,
    labels: np.ndarray | None,
    calibration: np.ndarray | None,
) -> tuple[np.ndarray, str]:
    """Returns images of the dtype a model takes, and where they are from.

    Those that were given; else those that a file was calibrated on, since of
    noise a network trained on pictures says nothing, and near-ties decide;
    else random pixels.

    Args:
        metadata: the model's `Metadata`.
        images: array or `None`.
        labels: classes of `images`, or `None`.
        calibration: array or `None`.

    Raises:
        ValueError: if shapes do not fit, or there are labels alone.
    """
    dtype = metadata.input["dtype"]
    if images is None and labels is not None:
        raise ValueError("`labels` are the classes of `images`: give both.")
    source = "calibration" if images is None else "given"
    chosen = calibration if images is None else images
    if images is None and calibration is not None:
        _require_several(calibration)
    if chosen is None:
        sides = [side or ANY_SIDE for side in metadata.input["shape"][1:3]]
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 256, (RANDOM_IMAGES, *sides, 3))
        return noise.astype(dtype), "random"
    if np.dtype(dtype).kind == "u":
        chosen = np.clip(np.rint(chosen), 0, 255)
    chosen = check_request(np.asarray(chosen).astype(dtype), metadata)
    shape = (len(chosen), *[len(metadata.class_names)] * metadata.multi_label)
    if labels is not None and np.shape(labels) != shape:
        wanted = f"{len(chosen)} integers, one per image"
        if metadata.multi_label:
            wanted = f"zeros and ones of shape {shape}"
        raise ValueError(
            f"`labels` must be {wanted}. "
            f"Received: labels.shape={np.shape(labels)}"
        )
    if labels is not None:
        _check_labels(labels, metadata)
    return chosen, source


def _require_several(calibration):
    if len(calibration) < LEAST_CALIBRATION:
        raise ValueError(
            "`calibration` must be some hundred images, and at least "
            f"{LEAST_CALIBRATION} where the file is proven on them, too: give "
            f"more, or `images`. Received: {len(calibration)} images"
        )


def _check_labels(labels, metadata):
    """Refuses what are no numbers of classes: of such nothing is told right."""
    values = np.asarray(labels)
    classes = len(metadata.class_names)
    most = 1 if metadata.multi_label else classes - 1
    numbers = values.dtype.kind in "fiub"
    if numbers and not np.isin(values, np.arange(most + 1)).all():
        numbers = False
    if not numbers:
        wanted = "zeros and ones" if metadata.multi_label else "whole numbers"
        raise ValueError(
            f"`labels` must be {wanted} in 0..{most}, the classes of `images`. "
            f"Received: labels={values.ravel()[:5].tolist()}"
        )
