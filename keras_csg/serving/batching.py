"""Joins requests into batches; knows nothing of protocols or models."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from typing import NamedTuple

import numpy as np

Arrays = Mapping[str, np.ndarray]


class _Waiting(NamedTuple):
    images: np.ndarray
    answer: Future


class MicroBatcher:
    """Joins what waits into one batch, while the last one is computed.

    No request waits for others to come. What is computed runs in one thread of
    its own, one batch after the other; requests may come from any.

    Args:
        run: callable from an array `(batch, ...)` to a dict of arrays
            `(batch, ...)`.
        max_batch_size: int. Most rows of a batch.
    """

    def __init__(
        self, run: Callable[[np.ndarray], Arrays], max_batch_size: int
    ):
        self._run = run
        self._max_batch_size = max_batch_size
        self._waiting: list[_Waiting] = []
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._work, name="keras_csg-batches", daemon=True
        )
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Rows that are not yet being computed."""
        with self._changed:
            return sum(len(item.images) for item in self._waiting)

    def submit(self, images: np.ndarray) -> "Future[dict[str, np.ndarray]]":
        """Returns a future of what `run` gives for these images.

        Args:
            images: array `(batch, ...)`, checked: it must harm no other.

        Raises:
            RuntimeError: if it is closed.
        """
        answer: Future = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("The batcher is closed.")
            self._waiting.append(_Waiting(images, answer))
            self._changed.notify()
        return answer

    def close(self) -> None:
        """Computes what waits, and then no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self):
        while requests := self._take():
            self._compute(requests)
            del requests  # An idle thread would keep the last images.

    def _compute(self, requests):
        try:
            batch = requests[0].images
            if len(requests) > 1:
                batch = np.concatenate([item.images for item in requests])
            outputs = self._run(batch)
        except Exception as error:
            if len(requests) > 1:  # It is the fault of one, or of none.
                for request in requests:
                    self._compute([request])
                return
            outputs = error
        _hand_out(requests, outputs)

    def _take(self):
        """Takes requests, the oldest first, as many as fit into a batch.

        Waits for one; returns none when it is closed and nobody waits.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            count = rows = 0
            for item in self._waiting:
                rows += len(item.images)
                full = rows > self._max_batch_size
                if count and (full or not _alike(item, self._waiting[0])):
                    break
                count += 1
            taken = self._waiting[:count]
            self._waiting = self._waiting[count:]
        return taken


def _alike(one, other):
    same_shape = one.images.shape[1:] == other.images.shape[1:]
    return same_shape and one.images.dtype == other.images.dtype


def _hand_out(requests, outputs):
    """Gives each request its rows of the outputs, or the error."""
    start = 0
    for images, answer in requests:
        stop = start + len(images)
        try:
            if isinstance(outputs, Exception):
                answer.set_exception(outputs)
            else:
                answer.set_result(
                    {name: rows[start:stop] for name, rows in outputs.items()}
                )
        except InvalidStateError:  # Whoever asked has gone away.
            pass
        start = stop
