import threading

import keras


class FitInTurns(keras.callbacks.Callback):
    """Runs `model.fit` an epoch at a time, so that two can alternate.

    `fit` goes on in a thread of its own and waits between epochs. What it sets
    up at its start, and its input's, is therefore not counted.

    Args:
        model: compiled `keras.Model`.
        batches: endless `tf.data.Dataset`.
        steps: int. Steps in an epoch.
    """

    async_safe = True  # It looks at no logs, so Keras need not wait for them.

    def __init__(self, model, batches, steps):
        super().__init__()
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(
            target=model.fit,
            args=(batches,),
            kwargs={
                "epochs": 10**6,
                "steps_per_epoch": steps,
                "callbacks": [self],
                "verbose": 0,
                "shuffle": False,
            },
            daemon=True,
        )
        self._thread.start()

    def epoch(self):
        """Trains for one epoch."""
        self._go.release()
        while not self._done.acquire(timeout=1):
            if not self._thread.is_alive():
                raise RuntimeError("`fit` has stopped.")

    def on_epoch_begin(self, epoch, logs=None):
        """Waits for the turn."""
        self._go.acquire()

    def on_epoch_end(self, epoch, logs=None):
        """Gives the turn back."""
        self._done.release()
