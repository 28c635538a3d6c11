import os
from typing import Any

import keras

from keras_csg.metrics.gates import ordered_by_class


class GateImages(keras.callbacks.Callback):
    """Writes the gate matrix as a picture to TensorBoard, once an epoch.

    Rows are classes, columns filters ordered by the class they answer for, so
    a class-specific gate shows as a staircase. Needs TensorFlow, TensorBoard.

    Args:
        log_dir: str. Directory of the event files.
    """

    def __init__(self, log_dir: str | os.PathLike):
        super().__init__()
        self.log_dir = str(log_dir)
        self._writer: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Opens the event file."""
        import tensorflow as tf

        self._writer = tf.summary.create_file_writer(self.log_dir)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Writes the picture and the distribution of the entries."""
        import tensorflow as tf

        gate_matrix = keras.ops.convert_to_numpy(self.model.gate.gate_matrix)
        picture = ordered_by_class(gate_matrix)[None, :, :, None]
        with self._writer.as_default(step=epoch):
            tf.summary.image("gate_matrix", picture)
            tf.summary.histogram("gate_matrix_entries", gate_matrix)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the event file."""
        self._writer.close()
