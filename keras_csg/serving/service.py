"""One model behind the protocol, whichever way requests come."""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.formats.described import NoNumbersError
from keras_csg.deployment.formats.sizes import SizeError
from keras_csg.deployment.predictions import describe_answer
from keras_csg.serving.batching import MicroBatcher
from keras_csg.serving.errors import (
    FAILED,
    NOT_FOUND,
    UNAVAILABLE,
    RequestError,
    shown,
)
from keras_csg.serving.inputs import ImageInput
from keras_csg.serving.metrics import Metrics
from keras_csg.serving.numbers import answer_each, check_numbers, fault_of
from keras_csg.serving.outputs import check_wanted, respond
from keras_csg.serving.requests import (
    DATATYPES,
    InferRequest,
    InferResponse,
)
from keras_csg.version import version

EXTENSIONS = ["binary_tensor_data", "classification"]
LOADING, READY, DRAINING = "loading", "ready", "shutting down"
MOST_REQUESTS = 256
"""Being answered at a time; above it a server that is too slow says so."""


class Service:
    """A model that is asked by many; it is there before the model, and says so.

    Args:
        name: str. What clients call the model.
        model_version: str.
        max_batch_size: int. Most images of a request, and of a batch.
        max_pixels: int. Image files with more are not decoded.
        log: callable that takes a line.

    Attributes:
        state: `LOADING`, `READY` or `DRAINING`.
    """

    def __init__(
        self,
        name: str,
        model_version: str = "1",
        *,
        max_batch_size: int = 64,
        max_pixels: int = 10**8,
        log: Callable[[str], Any] = lambda text: None,
    ):
        self.name = name
        self.version = model_version
        self.state = LOADING
        self.metrics = Metrics()
        self._limits = max_batch_size, max_pixels
        self._log = log
        self._in_flight = 0
        self._told = False
        self._counting = threading.Lock()
        self._exported: ExportedAnswers | None = None

    def begin_to_end(self) -> None:
        """Is no longer ready, and answers what comes nevertheless."""
        self.state = DRAINING

    def load(self, exported: ExportedAnswers) -> None:
        """Begins to answer, once the model has answered for the first time.

        Args:
            exported: what `keras_csg.open_exported` returns.
        """
        self._input = ImageInput(exported.metadata, *self._limits)
        # The first answer takes longest, and tells dtypes and shapes.
        self._first = exported.answer(self._input.zeros())
        self._batcher = MicroBatcher(
            functools.partial(self._run, exported), self._limits[0]
        )
        self._exported = exported
        self.state = READY

    def close(self) -> None:
        """Answers what waits, and nothing more."""
        self.state = DRAINING
        if self._exported is not None:
            self._batcher.close()

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.state == READY

    def check_model(self, name: str, model_version: str = "") -> None:
        """Refuses a model, or a version of it, that is not served.

        Raises:
            RequestError: naming it.
        """
        if name != self.name:
            raise RequestError(
                f"There is no model {shown(name)}; {shown(self.name)} is "
                "served.",
                NOT_FOUND,
            )
        if model_version not in ("", self.version):
            raise RequestError(
                f"There is no version {shown(model_version)} of "
                f"{shown(self.name)}; {self.version} is served.",
                NOT_FOUND,
            )

    def describe_server(self) -> dict[str, Any]:
        """Returns the server's metadata in the protocol's words."""
        return {
            "name": "keras_csg",
            "version": version(),
            "extensions": EXTENSIONS,
        }

    def describe_model(self) -> dict[str, Any]:
        """Returns the model's metadata in the protocol's words.

        Raises:
            RequestError: while there is no model.
        """
        exported = self._ready_model()
        given, open_sides = self._input, -1 in self._input.shape[1:]
        outputs = [
            {
                "name": name,
                "datatype": DATATYPES[array.dtype.name],
                "shape": [
                    # Maps are as large as the image lets them be.
                    -1 if axis == 0 or (open_sides and array.ndim == 3) else n
                    for axis, n in enumerate(array.shape)
                ],
            }
            for name, array in self._first.items()
        ]
        return {
            "name": self.name,
            "versions": [self.version],
            "platform": f"keras_csg_{exported.metadata.format}",
            "inputs": [
                {
                    "name": given.name,
                    "datatype": given.datatype,
                    "shape": given.shape,
                }
            ],
            "outputs": outputs,
        }

    def infer(self, request: InferRequest) -> InferResponse:
        """Returns the answer to a request, together with others that wait.

        Raises:
            RequestError: if it cannot be answered.
        """
        metadata = self._ready_model().metadata
        check_wanted(request, metadata)
        images = self._input.read(request)
        self._notice_scaled(images)
        return respond(request, self._answer(images), metadata)

    def infer_picture(self, data: bytes, top: int) -> dict[str, Any]:
        """Returns what the model sees in an image file, for people to read.

        Args:
            data: bytes of a JPEG or a PNG file.
            top: int. Number of classes to name.

        Returns:
            dict; see `keras_csg.deployment.predict_each`.

        Raises:
            RequestError: if it cannot be decoded or answered.
        """
        metadata = self._ready_model().metadata
        missing = {"probabilities", "class_id"} - set(metadata.outputs)
        if missing:
            raise RequestError(
                f"The model does not answer {' and '.join(sorted(missing))}: "
                "ask it for tensors."
            )
        answers = self._answer(self._input.read_picture(data))
        answer = {name: rows[0] for name, rows in answers.items()}
        described = describe_answer(answer, metadata, top)
        return {
            "model_name": self.name,
            "model_version": self.version,
            **described,
        }

    @contextlib.contextmanager
    def counted(self, protocol: str) -> Iterator[None]:
        """Counts a request and what becomes of it.

        Whatever goes wrong leaves as a `RequestError`, and as a line of the
        log.

        Args:
            protocol: `"http"` or `"grpc"`.
        """
        start = time.perf_counter()
        self.metrics.requests.labels(protocol).inc()
        try:
            yield
        except RequestError as error:
            self._count_failure(protocol, error.status)
            self._log(f"Refused over {protocol}, {error.status}: {error}")
            raise
        except Exception as error:
            self._count_failure(protocol, FAILED)
            self._log(
                f"Failed over {protocol}: {type(error).__name__}: {error}"
            )
            raise RequestError("The model failed to answer.", FAILED) from error
        finally:
            took = time.perf_counter() - start
            self.metrics.seconds.labels(protocol).observe(took)

    @contextlib.contextmanager
    def in_flight(self) -> Iterator[None]:
        """Counts a request that has come as a whole, while it is answered.

        Raises:
            RequestError: if it is one too many.
        """
        many = self._add_in_flight(1)
        try:
            if many > MOST_REQUESTS:
                raise RequestError(
                    "Too many requests wait: ask again later.", UNAVAILABLE
                )
            yield
        finally:
            self._add_in_flight(-1)

    def _count_failure(self, protocol, status):
        whose = "client" if status < FAILED else "server"
        self.metrics.failures.labels(protocol, whose).inc()

    def _add_in_flight(self, count):
        with self._counting:
            self._in_flight += count
            self.metrics.in_flight.set(self._in_flight)
            return self._in_flight

    def _notice_scaled(self, images):
        if self._told or not self._input.looks_scaled(images):
            return
        self._told = True
        self._log(
            f"The largest value of the images of a request is "
            f"{float(images.max()):.3g}: the model takes pixels in 0..255, and "
            "to it these are black. This is said once."
        )

    def _ready_model(self) -> ExportedAnswers:
        # What came before the end began is answered.
        if self.state == LOADING or self._exported is None:
            raise RequestError(f"The server is {self.state}.", UNAVAILABLE)
        return self._exported

    def _answer(self, images):
        try:
            answer = self._batcher.submit(images)
        except RuntimeError as error:
            raise RequestError("It is shutting down.", UNAVAILABLE) from error
        self.metrics.waiting.set(self._batcher.waiting)
        try:
            answers = answer.result()
        except NoNumbersError as error:
            raise fault_of(images, error) from error
        except SizeError as error:  # Which size it is, the client chose.
            raise RequestError(str(error)) from error
        check_numbers(images, answers)
        return answers

    def _run(self, exported: ExportedAnswers, images: np.ndarray):
        self.metrics.waiting.set(self._batcher.waiting)
        start = time.perf_counter()
        answers = answer_each(exported, images)
        self.metrics.batches.observe(len(images))
        self.metrics.computing.observe(time.perf_counter() - start)
        return answers
