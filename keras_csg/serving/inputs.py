"""Images of a request, checked so that they can harm no other request."""

import dataclasses
import math
from typing import Any

import numpy as np

from keras_csg.data.image_sizes import DEFAULT_SIZE
from keras_csg.deployment.metadata import Metadata
from keras_csg.deployment.pixel_range import fault_of_range, looks_scaled
from keras_csg.serving.errors import TOO_LARGE, RequestError, shown
from keras_csg.serving.pictures import decode_picture
from keras_csg.serving.requests import (
    BYTES,
    DATATYPES,
    InferRequest,
    InputTensor,
    as_numbers,
    split_elements,
)

NUMPY: dict[str, np.dtype] = {"FP32": np.dtype("<f4"), "UINT8": np.dtype("u1")}


class ImageInput:
    """The one input of a model: what it takes, and how it is read.

    Args:
        metadata: the model's `Metadata`.
        max_batch_size: int. Most images of a request.
        max_pixels: int. Image files with more are not decoded.
    """

    def __init__(
        self, metadata: Metadata, max_batch_size: int, max_pixels: int
    ):
        self._about = metadata.input
        self.name = metadata.input["name"]
        self.datatype = DATATYPES[metadata.input["dtype"]]
        self.shape = [-1, *(s or -1 for s in metadata.input["shape"][1:])]
        self.max_batch_size = max_batch_size
        self._size = metadata.input["shape"][1:3]
        self._reading = dataclasses.replace(
            metadata.reading, max_pixels=max_pixels
        )

    def zeros(self) -> np.ndarray:
        """Returns one black image, as the model takes it."""
        height, width = (
            s or d for s, d in zip(self._size, DEFAULT_SIZE, strict=True)
        )
        return np.zeros((1, height, width, 3), NUMPY[self.datatype])

    def read(self, request: InferRequest) -> np.ndarray:
        """Returns the images of a request.

        Returns:
            array of shape `(batch, height, width, 3)` of the model's dtype,
            finite and in the input's range.

        Raises:
            RequestError: naming what does not fit.
        """
        if [given.name for given in request.inputs] != [self.name]:
            names = ", ".join(shown(given.name) for given in request.inputs[:4])
            raise RequestError(
                f"`inputs` must be one tensor named {self.name!r}. "
                f"Received: {names or 'none'}"
            )
        (given,) = request.inputs
        if given.datatype == BYTES:
            return self._decode(self._files(given))
        self._check_datatype(given)
        self._check_shape(given.shape)
        return self._finite(self._numbers(given))

    def looks_scaled(self, images: np.ndarray) -> bool:
        """Whether images that were read look as if they were in 0..1."""
        return looks_scaled(images, self._about)

    def read_picture(self, data: bytes) -> np.ndarray:
        """Returns the bytes of one image file as a batch of one image.

        Raises:
            RequestError: if it cannot be decoded.
        """
        return self._decode([data])

    def _decode(self, files):
        images = [
            decode_picture(
                data,
                self._reading,
                self._size,
                f"Image {number} of input {self.name!r}",
            )
            for number, data in enumerate(files)
        ]
        if len({image.shape for image in images}) > 1:
            raise RequestError(
                f"The images of input {self.name!r} must be of one size, since "
                "the model takes each at its own: ask for one at a time."
            )
        return np.stack(images).astype(NUMPY[self.datatype])

    def _check_datatype(self, given):
        # Whole numbers are the same as floats, and a quarter of the bytes.
        possible = {self.datatype, "UINT8"}
        if given.datatype not in possible:
            raise RequestError(
                f"`datatype` of input {self.name!r} must be "
                f"{' or '.join(sorted(possible))}, or BYTES for image files. "
                f"Received: {shown(given.datatype)}"
            )

    def _check_shape(self, shape):
        fits = len(shape) == len(self.shape) and all(
            have == want or (want == -1 and have > 0)
            for want, have in zip(self.shape[1:], shape[1:], strict=True)
        )
        if not fits or shape[0] < 1:
            raise RequestError(
                f"`shape` of input {self.name!r} must be {self.shape}, with 1 "
                f"to {self.max_batch_size} images. "
                f"Received: {shown(str(shape))}"
            )
        self._check_batch(shape[0])

    def _check_batch(self, count):
        if count > self.max_batch_size:
            raise RequestError(
                f"Input {self.name!r} may have 1 to {self.max_batch_size} "
                f"images. Received: {count}",
                TOO_LARGE,
            )

    def _numbers(self, given):
        dtype = NUMPY[given.datatype]
        size = math.prod(given.shape)
        if given.raw is None:
            values = self._of_values(given.values, dtype)
        else:
            self._check_size(len(given.raw), size * dtype.itemsize, "bytes")
            values = np.frombuffer(given.raw, dtype)
        self._check_size(values.size, size, "numbers")
        if given.raw is None:
            self._check_nesting(values, given.shape)
        return values.reshape(given.shape)

    def _of_values(self, values, dtype):
        array = as_numbers(values)
        if not isinstance(array, np.ndarray):
            raise self._no_numbers()
        if not array.size:
            return array
        if array.dtype.kind not in "iuf":
            raise self._no_numbers()
        if dtype.kind == "u" and not _are_bytes(array):
            raise RequestError(
                f"`data` of input {self.name!r}, UINT8, must be whole numbers "
                "in 0..255."
            )
        with np.errstate(over="ignore"):  # It becomes infinite: see below.
            return array.astype(dtype)

    def _no_numbers(self):
        return RequestError(
            f"`data` of input {self.name!r} must be numbers, in row-major "
            "order or in lists as its shape has them."
        )

    def _check_nesting(self, values, shape):
        # In other lists they may lie in another order, as with the colours
        # first.
        if values.ndim > 1 and list(values.shape) != list(shape):
            raise RequestError(
                f"`data` of input {self.name!r} is nested as "
                f"{list(values.shape)}, and its `shape` is "
                f"{shown(str(shape))}: both must be the same, or `data` one "
                "flat list in row-major order."
            )

    def _check_size(self, have, want, of_what):
        if have != want:
            raise RequestError(
                f"Input {self.name!r} has {have} {of_what} of data, and its "
                f"`shape` {want}."
            )

    def _finite(self, images):
        if images.dtype.kind == "f" and not np.isfinite(images).all():
            raise RequestError(
                f"Input {self.name!r} has pixels that are NaN or infinite."
            )
        fault = fault_of_range(images, self._about)
        if fault is not None:
            raise RequestError(f"Pixels of input {self.name!r} {fault}")
        return images.astype(NUMPY[self.datatype], copy=False)

    def _files(self, given: InputTensor) -> list[bytes]:
        shape = given.shape
        if len(shape) not in (1, 2) or shape[1:] not in ([], [1]):
            raise RequestError(
                f"`shape` of input {self.name!r}, BYTES, must be [n] or "
                f"[n, 1]. Received: {shown(str(shape))}"
            )
        self._check_batch(shape[0])
        files: Any = given.values
        if given.raw is not None:
            try:
                files = split_elements(given.raw)
            except ValueError as error:
                raise RequestError(
                    f"Input {self.name!r}, BYTES: {error}; each image must "
                    "stand behind its length in four bytes, little-endian."
                ) from error
        if len(files) != shape[0] or not files:
            raise RequestError(
                f"Input {self.name!r} has {len(files)} images, and its "
                f"`shape` {shape[0]}."
            )
        return files


def _are_bytes(array):
    """Whether all are whole numbers in 0..255; JSON may write one as 1.0."""
    whole = array.dtype.kind in "iu" or (array == np.rint(array)).all()
    return whole and array.min() >= 0 and array.max() <= 255
