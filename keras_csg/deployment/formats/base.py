"""What a format of exported models is, and what an exported model is asked."""

import abc
import importlib
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from keras_csg.deployment.formats.described import check_answers
from keras_csg.deployment.formats.sizes import (
    check_maps,
    check_size,
    size_error,
)
from keras_csg.deployment.image_batches import read_batch
from keras_csg.deployment.metadata import Metadata
from keras_csg.deployment.pixel_range import fault_of_range

if TYPE_CHECKING:
    import keras

MOST_WORDS = 120
"""Letters of what a runtime says."""


class ExportedAnswers(abc.ABC):
    """An exported model in its runtime.

    Attributes:
        metadata: its `Metadata`.
        runtime: str. Name and version of the runtime.
    """

    metadata: Metadata
    runtime: str

    def read(self, images: Any) -> np.ndarray:
        """Returns images as the batch that `answer` takes.

        As the network's images were read in training: turned, in RGB, resized
        and cropped, by what the file says.

        Args:
            images: an image, or a list of them: path of a file, bytes of one,
                a stream of these, or `PIL.Image.Image`.

        Returns:
            array of shape `(images, height, width, 3)`, of the dtype the
            model takes. One that takes images of any size gets each at its
            own, up to 1,024 pixels; those of one batch must share it.

        Raises:
            ValueError: if one cannot be read, or they do not share it.
        """
        return read_batch(images, self.metadata)

    def answer(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Returns a dict of arrays, one for each output.

        Args:
            images: array of shape `(batch, height, width, 3)`, of the dtype
                the model takes.

        Raises:
            ValueError: if shape or dtype are others, a pixel is NaN, infinite
                or outside the range of the metadata's `input`, or an answer
                is NaN or infinite: `NoNumbersError`. Of a model of images of
                any size also if it takes none of theirs: `SizeError`.
        """
        images = check_request(images, self.metadata)
        check_size(images, self.metadata)
        try:
            values = self._run(images)
        except Exception as error:  # Of each runtime others.
            refused = size_error(error, images, self.metadata)
            if refused is None:
                raise
            raise refused from error
        answers = {name: values[name] for name in self.metadata.outputs}
        check_maps(answers, images, self.metadata)
        check_answers(answers)
        return answers

    @abc.abstractmethod
    def _run(self, images):
        """Returns the arrays by their outputs' names."""


class Format(abc.ABC):
    """A kind of file, or folder, that a classifier is exported to.

    A subclass is made known with `register_format`. Its module imports what
    it needs of others within the calls that use it.

    Attributes:
        name: str. How `keras_csg.export` calls it.
        suffix: str. What the path of a file ends in; empty for a folder.
        quantizations: tuple of str, out of `keras_csg.choices.QUANTIZATIONS`:
            what its numbers can be narrowed to. With any `write` takes
            `quantize` and `calibration`.
        never_quantized: dict from the others of them to why not, for whoever
            asks for one.
        contents: tuple of str. Patterns of the files in a folder of this
            format, so that one with others in it is not replaced; `None`
            where its metadata alone tell.
        in_layouts: dict from the layouts of servers that can hold the format
            to the model's path within the folder of its version.
        triton_platform: str. What Triton calls the runtime of the format;
            `None` where no layout is Triton's.
        triton_parameters: dict of str. What else Triton has to be told.
        runs_in_tensorflow: bool. Whether `open` imports TensorFlow.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    quantizations: ClassVar[tuple[str, ...]] = ()
    never_quantized: ClassVar[Mapping[str, str]] = {}
    contents: ClassVar[tuple[str, ...] | None] = None
    in_layouts: ClassVar[Mapping[str, str]] = {}
    triton_platform: ClassVar[str | None] = None
    triton_parameters: ClassVar[Mapping[str, str]] = {}
    runs_in_tensorflow: ClassVar[bool] = False

    @abc.abstractmethod
    def write(
        self,
        answering: "keras.Model",
        metadata: Metadata,
        path: pathlib.Path,
        **settings: Any,
    ) -> None:
        """Writes a model.

        Args:
            answering: `keras.Model` from `answering_model`.
            metadata: its `Metadata`, which the file has to carry.
            path: path of the file, or of a folder to make.
            **settings: with `quantizations`: `quantize`, one of them or
                `None`, and `calibration`, for `"int8"` an array of shape
                `(samples, height, width, 3)`, RGB in 0..255.

        Raises:
            ValueError: if the format lacks what the model needs.
        """

    @abc.abstractmethod
    def open(self, path: pathlib.Path, trust: bool = False) -> ExportedAnswers:
        """Opens what `write` wrote, in its runtime.

        Args:
            path: path of the file or the folder.
            trust: bool. Whether it may have operations that no export needs,
                and which may do anything.

        Raises:
            ValueError: if it is something else or damaged, has such
                operations, or the runtime is not installed.
        """

    @abc.abstractmethod
    def read_metadata(self, path: pathlib.Path) -> Metadata:
        """Reads the `Metadata` of what `write` wrote, without its runtime.

        Raises:
            ValueError: if it is something else, or damaged.
        """

    def missing(self) -> str | None:
        """Returns why it can neither be written nor run here, or `None`."""
        return None

    def lies_at(self, path: pathlib.Path) -> bool:
        """Tells whether what lies at a path is of this format, at a glance."""
        return path.is_file() and path.suffix.lower() == self.suffix


def import_runtime(module: str, needs: str) -> Any:
    """Imports what runs the files of a format.

    Args:
        module: str. Name of the module.
        needs: str. What to say where it is not installed.

    Raises:
        ValueError: saying `needs`.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(needs) from error


def why(error: Exception) -> str:
    """Returns a runtime's reason, cut to a short part of a line; or nothing."""
    words = " ".join(str(error).split())
    if not words:
        return ""
    shown = ascii(words[:MOST_WORDS])[1:-1]
    return f" ({shown}{'...' if len(words) > MOST_WORDS else ''})"


def check_request(images: np.ndarray, metadata: Metadata) -> np.ndarray:
    """Returns images as an array, if they are what an exported model takes.

    Args:
        images: array of shape `(batch, height, width, 3)`.
        metadata: the model's `Metadata`.

    Raises:
        ValueError: if shape or dtype are others, or a pixel is NaN, infinite
            or outside the range of the input.
    """
    images = np.asarray(images)
    shape, dtype = metadata.input["shape"], metadata.input["dtype"]
    fits = len(images.shape) == len(shape) and all(
        want in (None, have)
        for want, have in zip(shape[1:], images.shape[1:], strict=True)
    )
    if not fits or not len(images):
        wanted = ", ".join("any" if s is None else str(s) for s in shape[1:])
        raise ValueError(
            f"`images` must have shape (batch, {wanted}). "
            f"Received: images.shape={images.shape}"
        )
    if images.dtype != dtype:
        raise ValueError(
            f"`images` must be {dtype}, RGB in 0..255: "
            f"`images.astype({dtype!r})`. "
            f"Received: images.dtype={images.dtype}"
        )
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        rows = np.flatnonzero(~np.isfinite(images).all(axis=(1, 2, 3)))
        raise ValueError(
            "`images` must be finite, RGB in 0..255. Received: NaN or infinite "
            f"pixels in image {rows[0]} of {len(images)}"
        )
    fault = fault_of_range(images, metadata.input)
    if fault is not None:
        raise ValueError(f"`images` {fault}")
    return images
