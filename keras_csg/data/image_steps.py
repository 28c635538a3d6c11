"""What `ImageReading` does to an image file, to be done by other programs."""

from typing import Any

from keras_csg.data.image_colors import SIXTEEN_BITS, color_of
from keras_csg.data.image_files import ORIENTATION
from keras_csg.data.image_fitting import LONGEST_SIDE
from keras_csg.data.image_reading import ImageReading
from keras_csg.data.sample_range import OVERSHOOT

VERSION = 1
"""Of the steps: another number stands for pixels of other values."""
DECODE = (
    "Decode the first frame at its full size: no scaled decoding of JPEG. "
    "Colour profiles and gamma are not applied. Of several channels of 16 bits "
    "the upper 8 are taken."
)
ORIENT = (
    "Turn by EXIF tag 274: 2 mirrors left and right, 3 turns by 180 degrees, "
    "4 mirrors top and bottom, 5 transposes, 6 turns by 90 clockwise, 7 "
    "transposes along the other diagonal, 8 turns by 90 counter-clockwise; "
    "others do nothing."
)
LEVELS = (
    "One channel of more than 8 bits, or of floats: value * 255 / white, "
    "rounded half to even, clipped to 0..255; a file with values that are NaN "
    "or infinite is broken. White is what the file says (PNG's sBIT, TIFF's "
    "MaxSampleValue or BitsPerSample below 16), else the number given here. "
    "Where that is null: of integers 65535 or, where "
    "the largest value is above, the least 2**n - 1 that reaches it; of floats "
    "by the largest finite value: up to 0 65535, up to 2 1, up to 255 255, "
    "else the least 2**n - 1 that reaches it, rounded up."
)
RGB = (
    "Palettes become their colours, grey values three equal ones, bits 0 and "
    "255; CMYK becomes R = (255 - C) * (255 - K) / 255, G and B alike."
)
COMPOSITE = (
    "Over the background, with alpha in 0..255 (also a palette's, or PNG's "
    "transparent colour): (alpha * value + (255 - alpha) * background) / 255, "
    "rounded."
)
RESIZES = {
    "crop": "Of the largest box of the wanted aspect about the centre: with "
    "scale = max(height / h, width / w) of an image of h rows and w columns "
    "it has height / scale rows and width / scale columns, fractions included.",
    "pad": "Of the whole image, to rows and columns of its own aspect: with "
    "scale = min(height / h, width / w) round(h * scale) and round(w * scale), "
    "at least 1; then laid on the background at round((height - rows) / 2), "
    "round((width - columns) / 2). Rounded half to even.",
    "squash": "Of the whole image, to height and width: the aspect changes.",
}
FILTER = (
    "With a triangle filter that widens where an image shrinks: output i of n, "
    "from inputs a to b along an axis, has its centre at c = a + (i + 0.5) * s "
    "with s = (b - a) / n, and is the mean of the inputs j with "
    "int(c - r + 0.5) <= j < int(c + r + 0.5) and r = max(s, 1), within the "
    "image, weighted by max(0, 1 - |j + 0.5 - c| / r). Along the rows first, "
    "then along the columns, each rounded to 8 bits. An image that has the "
    "size already stays as it is."
)


def preprocessing_steps(
    reading: ImageReading, image: dict[str, Any]
) -> list[dict[str, Any]]:
    """Describes how an image file becomes what a network takes.

    Args:
        reading: `ImageReading`.
        image: dict with `shape` `(None, height, width, 3)` and `dtype`, as of
            `keras_csg.deployment.Metadata.input`.

    Returns:
        list of dicts, in the order in which they are done: `step`, its name,
        `what`, in words, and its numbers. JSON can hold them.
    """
    rows, columns = image["shape"][1:3]
    background = list(color_of(reading.background))
    return [
        {"step": "decode", "frame": 0, "version": VERSION, "what": DECODE},
        {"step": "orient", "exif_tag": ORIENTATION, "what": ORIENT},
        {
            "step": "levels",
            "white": reading.white_level,
            "white_of_integers": SIXTEEN_BITS,
            "white_of_floats": [1, 255],
            "floats_up_to": [OVERSHOOT, 255],
            "what": LEVELS,
        },
        {"step": "rgb", "what": RGB},
        {"step": "composite", "background": background, "what": COMPOSITE},
        _resizing(reading, rows, columns, background),
        {
            "step": "batch",
            "dtype": str(image["dtype"]),
            "range": [0, 255],
            "layout": "NHWC",
            "color": "RGB",
            "what": "Values stay 0..255: the network scales them itself.",
        },
    ]


def _resizing(reading, rows, columns, background):
    step = {
        "step": "resize",
        "mode": reading.resize,
        "height": rows,
        "width": columns,
        "filter": "triangle",
        "antialias": True,
        "background": background,
        "what": f"{RESIZES[reading.resize]} {FILTER}",
    }
    if None in (rows, columns):
        step["longest_side"] = LONGEST_SIDE
        step["what"] = (
            "A height or width that is null is the image's own: times "
            "min(1, longest_side / longer side) where both are, else by the "
            "other's scale, at most longest_side; rounded half to even, at "
            "least 1. " + step["what"]
        )
    return step
