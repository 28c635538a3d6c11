"""The images in a column of a set of Hugging Face."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np

from keras_csg.data.image_files import in_threads, now_and_then, probe_size
from keras_csg.data.image_sizes import size_of_all

if TYPE_CHECKING:
    import datasets

    from keras_csg.data.sources.request import Request

MOST_LOOKED_AT = 64
"""Images that a set is known by."""


class EncodedImages:
    """The images of a split: in memory, or decoded as they are asked for."""

    def __init__(
        self,
        part: datasets.Dataset,
        column: str,
        size: tuple[int, int],
        request: Request,
        cached: bool,
    ):
        import datasets

        from keras_csg.data.splits.indexed import cached_reader, reader_of

        self._encoded = part.cast_column(column, datasets.Image(decode=False))
        self._column, self._name = column, request.name
        self._size, self._reading = size, request.reading
        self.cached = cached
        if cached:
            self.read = cached_reader(self._all(request))
        else:
            self.read = reader_of(self._some)

    def _all(self, request):
        count = len(self._encoded)
        images = np.empty((count, *self._size, 3), "uint8")
        tell = now_and_then(
            lambda done: request.log(f"{done:,} of {count:,} images")
        )
        for start in range(0, count, 1024):
            stop = min(start + 1024, count)
            images[start:stop] = self._some(range(start, stop))
            tell(stop)
        return images

    def _some(self, numbers):
        numbers = [int(number) for number in numbers]
        cells = self._encoded[numbers][self._column]
        pairs = zip(numbers, cells, strict=True)
        return np.stack(in_threads(lambda pair: self._decoded(*pair), pairs))

    def _decoded(self, number, cell):
        if cell is None:  # It is in no split.
            return np.zeros((*self._size, 3), "uint8")
        try:
            return self._reading.decode(_file(cell), self._size)
        except Exception as error:  # Pillow raises many kinds.
            raise ValueError(
                f"Cannot read image {number} of {self._name}: {error}"
            ) from error


def _file(cell):
    """Returns the stream or the path of an encoded image."""
    return io.BytesIO(cell["bytes"]) if cell["bytes"] else cell["path"]


def common_size(part: datasets.Dataset, column: str) -> tuple[int, int]:
    """Returns the size of the images, by the first of them."""
    import datasets

    encoded = part.cast_column(column, datasets.Image(decode=False))
    first = encoded[: min(256, len(encoded))][column]
    return size_of_all(
        probe_size(_file(cell)) for cell in first if cell is not None
    )


def digest_of(
    parts: dict[str, datasets.Dataset],
    labels: dict[str, np.ndarray],
    image: str,
) -> str:
    """Returns what a set is known by: columns, labels, and some images."""
    import datasets

    digest = hashlib.sha256()
    for name, part in sorted(parts.items()):
        digest.update(f"{name} {len(part)} {part.features}".encode())
        digest.update(labels[name].tobytes())
        encoded = part.cast_column(image, datasets.Image(decode=False))
        some = np.linspace(0, len(part) - 1, min(len(part), MOST_LOOKED_AT))
        for cell in encoded[some.astype(int).tolist()][image]:
            digest.update((cell and cell["bytes"]) or b"")
    return digest.hexdigest()
