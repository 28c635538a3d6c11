"""The preprocessing of `Metadata.input`, written anew by its description.

In NumPy and double precision; Pillow but unpacks the file.
"""

import math

import numpy as np
from PIL import Image


def preprocessed(path, steps):
    """Returns the pixels of an image file as a list of steps describes them."""
    numbers = {step["step"]: step for step in steps}
    with Image.open(path) as file:
        color, alpha = unpacked(file, numbers["levels"])
        # Of a TIFF file Pillow turns by itself, and then no longer says so.
        orientation = file.getexif().get(numbers["orient"]["exif_tag"], 1)
    color, alpha = turned(color, orientation), turned(alpha, orientation)
    ground = np.array(numbers["composite"]["background"], float)
    alpha = alpha[..., None]
    color = np.floor((alpha * color + (255 - alpha) * ground) / 255 + 0.5)
    return resized(color, numbers["resize"])


def unpacked(file, levels):
    """Returns RGB `(h, w, 3)` and alpha `(h, w)`, both 0..255."""
    values = np.asarray(file)
    opaque = np.full(values.shape[:2], 255.0)
    if file.mode.startswith(("I", "F")):
        return grey(in_levels(values, levels)), opaque
    values = values.astype(float)
    transparent = file.info.get("transparency")
    if file.mode == "1":
        return grey(255 * values), opaque
    if file.mode == "P":
        table = np.array(file.getpalette("RGB"), float).reshape(-1, 3)
        clear = np.full(256, 255.0)
        if isinstance(transparent, int):
            clear[transparent] = 0
        elif transparent is not None:
            clear[: len(transparent)] = list(transparent)
        numbers = values.astype(int)
        return table[numbers], clear[numbers]
    if file.mode == "L":
        if transparent is not None:
            opaque = np.where(values == transparent, 0.0, 255.0)
        return grey(values), opaque
    if file.mode == "LA":
        return grey(values[..., 0]), values[..., 1]
    if file.mode == "CMYK":
        white = 255 - values[..., 3:]
        return np.rint((255 - values[..., :3]) * white / 255), opaque
    if file.mode == "RGBA":
        return values[..., :3], values[..., 3]
    if transparent is not None:
        opaque = np.where((values == transparent).all(-1), 0.0, 255.0)
    return values, opaque


def grey(values):
    return np.stack([values] * 3, axis=-1)


def in_levels(values, levels):
    white = levels["white"]
    if white is None:
        finite = values[np.isfinite(values)]
        largest = finite.max() if finite.size else 0
        white = levels["white_of_integers"]
        if values.dtype.kind == "f" and largest > 0:
            known = zip(
                levels["floats_up_to"], levels["white_of_floats"], strict=True
            )
            fits = [found for most, found in known if largest <= most]
            white = (fits or [least_above(largest)])[0]
        elif largest > white:
            white = least_above(largest)
    scaled = values.astype(float) * 255 / white
    return np.clip(np.rint(scaled), 0, 255)


def least_above(value):
    power = 1
    while power - 1 < math.ceil(value):
        power *= 2
    return power - 1


def turned(array, orientation):
    return {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.swapaxes(a[::-1], 0, 1),
        7: lambda a: np.swapaxes(a[::-1, ::-1], 0, 1),
        8: lambda a: np.swapaxes(a[:, ::-1], 0, 1),
    }.get(orientation, lambda a: a)(array)


def resized(image, step):
    h, w = image.shape[:2]
    height, width = step["height"], step["width"]
    if (h, w) == (height, width):
        return image
    if step["mode"] == "squash":
        return resampled(image, (0, h), (0, w), height, width)
    if step["mode"] == "crop":
        scale = max(height / h, width / w)
        rows, columns = height / scale, width / scale
        top, left = (h - rows) / 2, (w - columns) / 2
        return resampled(
            image, (top, top + rows), (left, left + columns), height, width
        )
    scale = min(height / h, width / w)
    rows, columns = max(1, round(h * scale)), max(1, round(w * scale))
    inner = resampled(image, (0, h), (0, w), rows, columns)
    padded = np.empty((height, width, 3))
    padded[:] = step["background"]
    top, left = round((height - rows) / 2), round((width - columns) / 2)
    padded[top : top + rows, left : left + columns] = inner
    return padded


def resampled(image, rows, columns, height, width):
    """Each of both passes rounded to 8 bits; along the rows first."""
    across = weights(*columns, width, image.shape[1])
    image = np.clip(np.floor(across @ image + 0.5), 0, 255)
    down = weights(*rows, height, image.shape[0])
    image = np.einsum("ij,jkc->ikc", down, image)
    return np.clip(np.floor(image + 0.5), 0, 255)


def weights(start, stop, outputs, inputs):
    step = (stop - start) / outputs
    reach = max(step, 1.0)
    j = np.arange(inputs)
    table = np.zeros((outputs, inputs))
    for i in range(outputs):
        centre = start + (i + 0.5) * step
        within = j >= int(centre - reach + 0.5)
        within &= j < int(centre + reach + 0.5)
        share = np.maximum(0, 1 - np.abs(j + 0.5 - centre) / reach)
        table[i] = within * share
    return table / table.sum(axis=1, keepdims=True)
