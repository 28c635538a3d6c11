"""Joins requests into batches; knows nothing of servers or models."""

import asyncio

import numpy as np


class MicroBatcher:
    """Joins what waits into one batch, while the last one is computed.

    Args:
        run: callable from an array `(batch, ...)` to a list of such arrays.
        max_batch_size: int. Most rows of a batch.
    """

    def __init__(self, run, max_batch_size):
        self.run = run
        self.max_batch_size = max_batch_size
        self.waiting = []
        self.worker = None

    async def answer(self, images):
        """Returns what `run` gives for these images."""
        answer = asyncio.get_running_loop().create_future()
        self.waiting.append((images, answer))
        if self.worker is None or self.worker.done():
            self.worker = asyncio.create_task(self.work())
        return await answer

    async def work(self):
        """Computes batches until nobody waits."""
        while self.waiting:
            requests = self.take()
            try:
                batch = np.concatenate([images for images, _ in requests])
                # In a thread, so that the next requests come in meanwhile.
                outputs = await asyncio.to_thread(self.run, batch)
            except Exception as error:
                outputs = error
            self.hand_out(requests, outputs)

    def take(self):
        """Takes requests, the oldest first, as many as fit into a batch."""
        count = rows = 0
        shape = self.waiting[0][0].shape[1:]
        for images, _ in self.waiting:
            rows += len(images)
            full = rows > self.max_batch_size
            if count and (full or images.shape[1:] != shape):
                break
            count += 1
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    def hand_out(self, requests, outputs):
        """Gives each request its rows of the outputs, or the error."""
        start = 0
        for images, answer in requests:
            stop = start + len(images)
            if answer.done():  # The client has gone away.
                pass
            elif isinstance(outputs, Exception):
                answer.set_exception(outputs)
            else:
                answer.set_result([output[start:stop] for output in outputs])
            start = stop
