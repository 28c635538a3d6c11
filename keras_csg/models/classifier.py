import keras
from keras import ops

from keras_csg.layers.batch_normalization import fuse_batch_normalization
from keras_csg.layers.csg_gate import CSGGate
from keras_csg.models import schedules
from keras_csg.models.losses import loss_on_logits, matches, metrics_on_logits
from keras_csg.optimizers.fused_sgd import fuse_updates
from keras_csg.optimizers.weight_decay import exclude_from_weight_decay


@keras.saving.register_keras_serializable(package="keras_csg")
class CSGClassifier(keras.Model):
    """Image classifier trained through a Class-Specific Gate.

    Calling it on images gives the logits of the standard path. Training also
    sends the features through `gate`, a learnable class-by-filter matrix, so
    that each filter comes to answer for one class or few. Both paths share one
    pass through the backbone: the maps are averaged once and the gate, being
    constant over a map, is applied to the average.

    The training loss is

        w_s * CE(standard) + w_g * lambda_1 * CE(gated)
        + w_g * lambda_3 * CE(class-specific) + the gate's sparsity penalty

    with the path weights `w_s`, `w_g` the schedule gives for the epoch. In an
    epoch with `w_g == 0` the gate stays as it is, bit for bit.

    Args:
        backbone: functional `keras.Model` from images `(batch, height, width,
            3)` to feature maps `(batch, h, w, filters)`.
        num_classes: int, at least 2.
        gated: bool. `False` gives the standard network: the same trainable
            layers, no gate.
        lambda_1: float, at least 0. Weight of the gated path's loss.
        lambda_2: float, at least 0. Weight of the sparsity penalty; see
            `CSGGate`.
        lambda_3: float, at least 0. Weight of the class-specific head's loss,
            which needs no label to choose a gate row. `0` is the paper's
            objective: there a row names its class, so the gated path's loss
            soon vanishes and leaves the filters much as they are.
        filter_dropout: float in `[0, 1)`. Share of the filters that this loss
            leaves out at random for each sample, so that the few which are
            left have to tell the class: it raises what a single filter knows.
            `None` leaves two filters a class on average, and drops 0.7 at
            most.
        density: float in `(0, 1]`. Share of the gate that may stay open;
            `None` for `1 / num_classes`.
        schedule: `"joint"`, `"alternating"` or a callable from an epoch to
            `keras_csg.models.schedules.PathWeights`.
        class_names: list of str, one for each class, in the order of the
            logits; kept with the model. `None` for no names.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`.
        labels: Optional. With labels (see `CSGGate`) the gated path's logits
            come out.

    Returns:
        Logits of shape `(batch, classes)`, float32.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
    """

    def __init__(
        self,
        backbone,
        num_classes,
        *,
        gated=True,
        lambda_1=1.0,
        lambda_2=None,
        lambda_3=1.0,
        filter_dropout=None,
        density=None,
        schedule="joint",
        class_names=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in {"lambda_1": lambda_1, "lambda_3": lambda_3}.items():
            if not value >= 0:
                raise ValueError(
                    f"`{name}` must be at least 0. Received: {name}={value}"
                )
        if num_classes < 2:
            raise ValueError(
                "`num_classes` must be at least 2. "
                f"Received: num_classes={num_classes}"
            )
        if filter_dropout is None:
            spare = 1 - 2 * num_classes / backbone.output_shape[-1]
            filter_dropout = min(max(spare, 0.0), 0.7)
        if not 0 <= filter_dropout < 1:
            raise ValueError(
                "`filter_dropout` must be at least 0 and below 1. "
                f"Received: filter_dropout={filter_dropout}"
            )
        if class_names is not None and len(class_names) != num_classes:
            raise ValueError(
                f"`class_names` must have {num_classes} names. "
                f"Received: {len(class_names)} names"
            )
        self.class_names = None if class_names is None else list(class_names)
        self.backbone = fuse_batch_normalization(backbone)
        self.num_classes = num_classes
        self.gated = gated
        self.lambda_1 = lambda_1
        self.lambda_3 = lambda_3
        self.schedule = schedules.get(schedule)
        # Pooling in float32 reads the maps once whatever their dtype is, and
        # what follows is too small for a narrower type to save anything.
        self.pooling = keras.layers.GlobalAveragePooling2D(
            data_format="channels_last", dtype="float32", name="pooling"
        )
        self.head = keras.layers.Dense(
            num_classes, dtype="float32", name="head"
        )
        self.filter_dropout = keras.layers.Dropout(
            filter_dropout, dtype="float32", name="filter_dropout"
        )
        self.gate = None
        if gated:
            self.gate = CSGGate(
                num_classes, density, lambda_2, dtype="float32", name="gate"
            )
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
        self.build(backbone.input_shape)

    def build(self, images_shape):
        """Builds the head and the gate for the backbone's filters."""
        features_shape = (None, self.filters)
        self.head.build(features_shape)
        if self.gated:
            self.gate.build(features_shape)
        self.built = True

    @property
    def filters(self):
        """Number of filters the gate and the head see."""
        return self.backbone.output_shape[-1]

    def call(self, images, labels=None, training=None):
        """Returns the logits of the standard or, with labels, gated path."""
        features = self.features(images, training=training)
        if labels is not None:
            features = self._require_gate()(features, labels)
        return self.head(features)

    def features(self, images, training=None):
        """Returns the average of each filter's map, `(batch, filters)`."""
        return self.pooling(self.backbone(images, training=training))

    def class_specific_logits(self, features):
        """Returns each class's logit over its own filters alone.

        `(W * G) a + b`: no label enters, so what it gets right is not a leak.

        Args:
            features: Tensor of shape `(batch, filters)`.

        Returns:
            Logits of shape `(batch, classes)`.
        """
        return self._sum_own_filters(features, self._class_specific_kernel())

    def inference_model(self):
        """Returns the standard path as one flat functional model.

        It shares this model's layers, takes the same images and gives the same
        logits; other tools and exporters understand it without custom code.
        """
        maps = self.backbone.output
        return keras.Model(
            self.backbone.input,
            self.head(self.pooling(maps)),
            name=f"{self.name}_inference",
        )

    def compute_dual_path_loss(
        self, features, y, sample_weight=None, training=False
    ):
        """Computes the losses of both paths from one set of features.

        In `keras.ops` alone, so any backend's training step can call it.

        Args:
            features: Tensor of shape `(batch, filters)`.
            y: Labels, hard or soft.
            sample_weight: Optional. Tensor of shape `(batch,)`.
            training: bool. Whether `filter_dropout` applies.

        Returns:
            A tuple of the total loss and a dict with `logits`, of shape
            `(batch, classes)`, and for a gated model `standard_loss`,
            `gated_loss` and `class_specific_logits`.
        """
        if not self.gated:
            logits = self.head(features)
            return self.path_loss(y, logits, sample_weight), {"logits": logits}
        # One product for both paths: for many classes and filters reading the
        # kernel, and writing its gradient, is what takes the time.
        both = ops.concatenate([features, self.gate(features, y)])
        logits, gated_logits = ops.split(self.head(both), 2)
        standard_loss = self.path_loss(y, logits, sample_weight)
        gated_loss = self.path_loss(y, gated_logits, sample_weight)
        kernel = self._class_specific_kernel()
        class_specific_logits = self._sum_own_filters(features, kernel)
        standard_weight, gated_weight = ops.unstack(self.path_weights)
        loss = standard_weight * standard_loss
        loss += gated_weight * self.lambda_1 * gated_loss
        if self.lambda_3:
            trained_logits = class_specific_logits
            if training and self.filter_dropout.rate:
                some = self.filter_dropout(features, training=True)
                trained_logits = self._sum_own_filters(some, kernel)
            loss += (gated_weight * self.lambda_3) * self.path_loss(
                y, trained_logits, sample_weight
            )
        return loss, {
            "logits": logits,
            "standard_loss": standard_loss,
            "gated_loss": gated_loss,
            "class_specific_logits": class_specific_logits,
        }

    def _class_specific_kernel(self):
        """Returns `W * G`, of the head's kernel's shape."""
        return self.head.kernel * ops.transpose(
            self._require_gate().gate_matrix
        )

    def _sum_own_filters(self, features, kernel):
        return ops.matmul(features, kernel) + self.head.bias

    def train_step(self, data):
        """Trains both paths on a batch, from one pass of the backbone."""
        import tensorflow as tf

        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            features = self.features(x, training=True)
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
        where none is among them.
        """
        if self.gated:
            callbacks = _with_gate_scheduler(callbacks)
        if self.optimizer is not None and not self.optimizer.built:
            # TensorFlow traces a step that makes variables twice.
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        return super().fit(
            x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs
        )

    def get_config(self):
        """Returns the constructor's arguments, the backbone serialised."""
        schedule = self.schedule
        return {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "num_classes": self.num_classes,
            "gated": self.gated,
            "lambda_1": self.lambda_1,
            "lambda_2": self.gate.lambda_2 if self.gated else None,
            "lambda_3": self.lambda_3,
            "filter_dropout": self.filter_dropout.rate,
            "density": self.gate.density if self.gated else None,
            "schedule": keras.saving.serialize_keras_object(schedule),
            "class_names": self.class_names,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the model that `get_config` described."""
        config = dict(config)
        config["backbone"] = keras.saving.deserialize_keras_object(
            config["backbone"], custom_objects=custom_objects
        )
        return cls(**config)

    def _require_gate(self):
        if not self.gated:
            raise ValueError(
                "The model has no gate: it was built with `gated=False`."
            )
        return self.gate


def _count_replicas():
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def _with_gate_scheduler(callbacks):
    """Puts a `GateScheduler` first unless the caller brought one."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks  # A container set up by hand stays as it is.
    given = keras.tree.flatten(callbacks) if callbacks else []
    if any(isinstance(callback, schedules.GateScheduler) for callback in given):
        return given
    return [schedules.GateScheduler(), *given]
