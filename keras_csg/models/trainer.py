import keras
from keras import ops

from keras_csg.models.batch_statistics import StatisticsTrainer
from keras_csg.models.losses import loss_on_logits, matches, metrics_on_logits
from keras_csg.models.objective import dual_path_loss
from keras_csg.models.schedules import GateScheduler
from keras_csg.optimizers import exclude_from_weight_decay, fuse_updates


class DualPathTrainer(StatisticsTrainer):
    """Trains a gated classifier: Keras's own loop, one step of ours.

    Of the classifier it needs `features` and `gated`, for a gated one `gate`
    and `schedule` too, and what `dual_path_loss` asks for.
    """

    def track_paths(self):
        """Adds the weights of the two paths' losses, and their metrics.

        For a gated classifier, when its layers are there.
        """
        self.path_weights = self.add_weight(
            name="path_weights",
            shape=(2,),
            initializer="ones",
            trainable=False,
            dtype="float32",
            autocast=False,
        )
        self.path_weights.assign(self.schedule(0))
        self.standard_loss = keras.metrics.Mean("standard_loss")
        self.gated_loss = keras.metrics.Mean("gated_loss")
        self.class_specific_accuracy = keras.metrics.Mean(
            "class_specific_accuracy"
        )

    def compute_dual_path_loss(
        self, features, y, sample_weight=None, training=False
    ):
        """Computes the losses of both paths; see `objective.dual_path_loss`."""
        return dual_path_loss(self, features, y, sample_weight, training)

    def train_step(self, data):
        """Trains both paths on a batch, from one pass of the backbone."""
        import tensorflow as tf

        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            features = self.training_features(x)
            loss, paths = self._total_loss(
                features, y, sample_weight, training=True
            )
            scaled_loss = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables
        gradients = tape.gradient(scaled_loss, variables)
        self._apply_with_gate_held(gradients, variables)
        return self._logs(x, y, loss, paths, sample_weight)

    def test_step(self, data):
        """Evaluates both paths on a batch."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        features = self.features(x, training=False)
        loss, paths = self._total_loss(features, y, sample_weight)
        return self._logs(x, y, loss, paths, sample_weight)

    def _total_loss(self, features, y, sample_weight, training=False):
        """Adds the layers' own penalties, the gate's among them.

        Gradients are summed over the replicas of a distributed step, so every
        loss is divided by their number; Keras has done so to the paths'.
        """
        loss, paths = self.compute_dual_path_loss(
            features, y, sample_weight, training
        )
        if self.losses:
            loss += ops.sum(self.losses) / _count_replicas()
        return loss, paths

    def _apply_with_gate_held(self, gradients, variables):
        """Updates the weights, and the gate only where its path trains.

        Without a gradient it would still move: by momentum and projection.
        """
        if not self.gated:
            self.optimizer.apply(gradients, variables)
            return
        gate_matrix = self.gate.gate_matrix
        before = ops.copy(gate_matrix)
        self.optimizer.apply(gradients, variables)
        gate_matrix.assign(
            ops.cond(
                self.path_weights[1] > 0,
                lambda: ops.convert_to_tensor(gate_matrix),
                lambda: before,
            )
        )

    def _logs(self, x, y, loss, paths, sample_weight):
        """Updates the metrics and returns their state."""
        replicas = _count_replicas()
        batch_size = ops.shape(paths["logits"])[0]
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss * replicas, batch_size)
        if not self.gated:
            return self.compute_metrics(x, y, paths["logits"], sample_weight)
        for tracker in (self.standard_loss, self.gated_loss):
            tracker.update_state(paths[tracker.name] * replicas, batch_size)
        self.class_specific_accuracy.update_state(
            matches(y, paths["class_specific_logits"])
        )
        logs = self.compute_metrics(x, y, paths["logits"], sample_weight)
        return {**logs, "l1_density": self.gate.l1_density()}

    def compile(
        self,
        optimizer="rmsprop",
        loss="crossentropy",
        loss_weights=None,
        metrics="auto",
        **kwargs,
    ):
        """Configures training, as `keras.Model.compile` does.

        Args:
            optimizer: any Keras optimizer. Its weight decay leaves the gate
                alone.
            loss: loss of each path on logits. The names of Keras's
                cross-entropies stand for the form from logits, for hard and
                soft labels alike.
            loss_weights: not used: there is one output.
            metrics: list of metrics on the standard path's logits. `"auto"`
                is accuracy.
            **kwargs: the other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `loss_weights` is given.
        """
        if loss_weights is not None:
            raise ValueError(
                "`loss_weights` has no meaning for a model with one output; "
                "set `lambda_1` and `lambda_3` instead. "
                f"Received: loss_weights={loss_weights}"
            )
        self.path_loss = loss_on_logits(loss)
        optimizer = fuse_updates(keras.optimizers.get(optimizer))
        if self.gated and optimizer is not None:
            exclude_from_weight_decay(optimizer, self.gate.gate_matrix)
        super().compile(
            optimizer=optimizer,
            loss=self.path_loss,
            metrics=metrics_on_logits(metrics),
            **kwargs,
        )

    def compile_from_config(self, config):
        """Compiles the model as it was when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        *args,
        **kwargs,
    ):
        """Trains the model, as `keras.Model.fit` does.

        A `GateScheduler` that follows `schedule` is added to the callbacks
        where none is among them. For `measure_again` see `StatisticsTrainer`.
        """
        if self.gated:
            callbacks = _with_gate_scheduler(callbacks)
        optimizer = getattr(self, "optimizer", None)  # None: not compiled.
        if optimizer is not None and not optimizer.built:
            # TensorFlow traces a step that makes variables twice.
            with self.distribute_strategy.scope():
                optimizer.build(self.trainable_variables)
        return super().fit(
            x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs
        )


def _count_replicas():
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def _with_gate_scheduler(callbacks):
    """Puts a `GateScheduler` first unless the caller brought one."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks  # A container set up by hand stays as it is.
    given = keras.tree.flatten(callbacks) if callbacks else []
    if any(isinstance(callback, GateScheduler) for callback in given):
        return given
    return [GateScheduler(), *given]
