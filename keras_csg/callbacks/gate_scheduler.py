import keras


class GateScheduler(keras.callbacks.Callback):
    """Writes the epoch's path weights to the model: their only writer.

    Args:
        schedule: callable from an epoch to `PathWeights`. Defaults to the
            model's own.
    """

    def __init__(self, schedule=None):
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch, logs=None):
        """Sets the weights of the two paths for this epoch."""
        schedule = self.schedule or self.model.schedule
        self.model.path_weights.assign(schedule(epoch))
