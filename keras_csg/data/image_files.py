"""Image files with Pillow, which knows WebP and EXIF orientation."""

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, TypeVar

from PIL import Image

from keras_csg.choices import MOST_PIXELS
from keras_csg.files import check_regular

# All that Pillow decodes by itself. Never those for which it starts a program,
# as it does Ghostscript for EPS, whatever a file is called.
FORMATS = (
    "JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO", "AVIF", "HEIF",
    "JPEG2000", "BLP", "CUR", "DCX", "DDS", "DIB", "FLI", "FTEX", "GBR",
    "ICNS", "ICO", "IM", "IMT", "MCIDAS", "MSP", "PCD", "PCX", "PIXAR", "PPM",
    "PSD", "QOI", "SGI", "SPIDER", "SUN", "TGA", "XBM", "XPM", "XVTHUMB",
)  # fmt: skip
LARGE = 2**25
"""Pixels above which images are decoded one at a time: each takes up to eight
bytes for every one of them."""
ORIENTATION = 0x0112  # The EXIF tag.
TELL_SECONDS = 10
# More than there are cores only wait for each other, and for a disk.
_THREADS = min(8, max(2, os.cpu_count() or 1))
_opening = threading.Lock()
_large = threading.Lock()

Item = TypeVar("Item")
Result = TypeVar("Result")


@functools.cache
def add_plugins() -> None:
    """Lets Pillow open HEIC, where a plugin for it is installed."""
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()


@functools.cache
def known_formats() -> tuple[str, ...]:
    """Returns those of `FORMATS` that the installed Pillow decodes."""
    Image.init()
    add_plugins()
    return tuple(kind for kind in FORMATS if kind in Image.OPEN)


def probe_size(
    path: str | os.PathLike, max_pixels: int = MOST_PIXELS
) -> tuple[int, int] | None:
    """Returns `(height, width)` as displayed, or `None` for a broken file."""
    try:
        with open_image(path, max_pixels) as image:
            return displayed_size(image)
    except Exception:  # Pillow raises SyntaxError, struct.error and others.
        return None


def displayed_size(image: Image.Image) -> tuple[int, int]:
    """Returns the `(height, width)` of an opened image, turned as it says."""
    width, height = image.size
    turned = image.getexif().get(ORIENTATION, 1) >= 5
    return (width, height) if turned else (height, width)


def open_image(
    path: str | os.PathLike | BinaryIO, max_pixels: int = MOST_PIXELS
) -> Image.Image:
    """Opens an image file, or a stream of one, up to a panorama's size.

    Args:
        path: a file, or a stream of its bytes.
        max_pixels: int. Those with more are refused.

    Raises:
        ValueError: if it has too many pixels.
        OSError: if it is no file or cannot be opened, and what else Pillow
            raises.
    """
    if isinstance(path, str | os.PathLike):
        check_regular(path)
    with _opening:  # Pillow's own limit is a global, and that of a poster.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(path, formats=known_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    try:
        check_pixels(image, max_pixels, path)
    except ValueError:
        image.close()
        raise
    return image


def check_pixels(
    image: Image.Image, max_pixels: int, name: Any = "the image"
) -> None:
    """Refuses an image of too many pixels.

    Args:
        image: `PIL.Image.Image`, opened.
        max_pixels: int. Those with more are refused.
        name: what to call it.

    Raises:
        ValueError: if it has more.
    """
    width, height = image.size
    if width * height > max_pixels:
        raise ValueError(
            f"{name} has {width}x{height} pixels, more than `max_pixels`, "
            f"{max_pixels:,}."
        )


def in_turn(image: Image.Image) -> contextlib.AbstractContextManager:
    """Returns what lets one large image at a time be decoded.

    Args:
        image: `PIL.Image.Image`, opened.
    """
    width, height = image.size
    return _large if width * height > LARGE else contextlib.nullcontext()


def in_threads(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    tell: Callable[[int], Any] | None = None,
) -> list[Result]:
    """Returns `function` of every item; Pillow decodes outside the GIL.

    Args:
        function: callable of one item.
        items: iterable.
        tell: callable that is told every few seconds how many are done.
    """
    results, tell = [], now_and_then(tell)
    with ThreadPoolExecutor(_THREADS) as pool:
        for result in pool.map(function, items):
            results.append(result)
            tell(len(results))
    return results


def now_and_then(tell: Callable[[int], Any] | None) -> Callable[[int], None]:
    """Returns what passes a number on every few seconds, or to nobody."""
    told = time.monotonic()

    def pass_on(done):
        nonlocal told
        if tell and time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            tell(done)

    return pass_on
