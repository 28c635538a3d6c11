from typing import Any

import keras

from keras_csg.backbones.freezing import ADDED_CONVOLUTION
from keras_csg.engines import engine
from keras_csg.models.gate_lines import warn_of_unplanned
from keras_csg.models.gate_scheduler import GateScheduler
from keras_csg.models.image_range import ImageRangeCheck, warn_of_small_values
from keras_csg.models.label_range import check_labels
from keras_csg.models.on_logits import loss_on_logits, metrics_on_logits
from keras_csg.models.training_step import DualPathStep
from keras_csg.optimizers import (
    averages_of,
    exclude_from_weight_decay,
    fuse_updates,
    scale_rates,
)

TORCH_OPTIMIZERS = "keras.src.backend.torch.optimizers."


class DualPathTrainer(DualPathStep):
    """Trains a gated classifier in Keras's own loop, by a step of ours."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = "crossentropy",
        loss_weights: Any = None,
        metrics: Any = "auto",
        weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Configures training, as `keras.Model.compile` does.

        Args:
            optimizer: any Keras optimizer. It leaves the gate to its budget;
                where `lambda_2` has it update the gate its weight decay does
                not.
            loss: loss of each path on logits. Losses by name stand for the
                form from logits; Keras's cross-entropies take hard and soft
                labels alike. `"crossentropy"` is the binary one, summed over
                the classes, of a model with `multi_label`.
            loss_weights: not used: there is one output.
            metrics: list of metrics on the standard path's logits. `"auto"`
                is accuracy, with `multi_label` average precision.
            weighted_metrics: list of metrics that `sample_weight` weighs.
            **kwargs: the other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `loss_weights` is given, a loss or a metric reads
                probabilities, or an optimizer that keeps averages (`use_ema`)
                is to update a gate.
        """
        if loss_weights is not None:
            raise ValueError(
                "`loss_weights` has no meaning for a model with one output; "
                "set `lambda_1` and `lambda_3` instead. "
                f"Received: loss_weights={loss_weights}"
            )
        self.path_loss = loss_on_logits(loss, self.multi_label)
        labels = self.num_classes if self.multi_label else None
        optimizer = fuse_updates(keras.optimizers.get(optimizer))
        if self.gated and self.gate_budget is None and optimizer is not None:
            _check_moves_gate(optimizer)
            exclude_from_weight_decay(optimizer, self.gate.gate_matrix)
        if self.backbone_rate != 1 and optimizer is not None:
            scale_rates(
                optimizer, self._pretrained_variables(), self.backbone_rate
            )
        super().compile(
            optimizer=optimizer,
            loss=self.path_loss,
            metrics=metrics_on_logits(metrics, labels),
            weighted_metrics=metrics_on_logits(weighted_metrics, labels),
            **kwargs,
        )

    def _pretrained_variables(self):
        """Returns the backbone's variables but those that `filters` added."""
        return [
            variable
            for layer in self.backbone.layers
            if layer.name != ADDED_CONVOLUTION
            for variable in layer.trainable_variables
        ]

    def get_compile_config(self) -> dict[str, Any]:
        """Returns how the model is compiled, when it is about to be saved."""
        self.build_optimizer()  # As `compile_from_config` will expect it.
        return _for_any_backend(super().get_compile_config())

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as it was when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.build_optimizer()

    def build_optimizer(self) -> None:
        """Makes the optimizer's variables, where that is still to do."""
        optimizer = getattr(self, "optimizer", None)  # None: not compiled.
        if optimizer is not None and not optimizer.built:
            # TensorFlow traces a step that makes variables twice.
            with engine.placing(self):
                optimizer.build(self.optimized_variables)

    def train_on_batch(
        self, x: Any, y: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Trains on one batch, as `keras.Model.train_on_batch` does.

        It knows of no epochs: the schedule stays where `begin_epoch` set it,
        and the gate closes within `closing_steps`.
        """
        self.build_optimizer()
        if self.gated:
            warn_of_unplanned(self)
        warn_of_small_values(self, x)
        check_labels(self, y)
        return super().train_on_batch(x, y, *args, **kwargs)

    def test_on_batch(
        self, x: Any, y: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Evaluates one batch, as `keras.Model.test_on_batch` does."""
        warn_of_small_values(self, x)
        check_labels(self, y)
        return super().test_on_batch(x, y, *args, **kwargs)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        *args: Any,
        measure_again: bool = True,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains the model, as `keras.Model.fit` does, then measures again.

        A `GateScheduler` that follows `schedule` is added to the callbacks
        where none is among them.

        Args:
            x: see `keras.Model.fit`, as for the arguments not named here.
            y: see there.
            batch_size: see there.
            epochs: see there.
            verbose: see there.
            callbacks: see there.
            validation_split: see there.
            *args: see there.
            measure_again: bool. Whether to replace the moving statistics at
                the end by those of a few thousand training images, if
                `batch_statistics` is `"fitted"`.
            **kwargs: see there.

        Returns:
            `keras.callbacks.History`.
        """
        warn_of_small_values(self, x)
        check_labels(self, y)
        callbacks = self._with_own_callbacks(callbacks)
        self.build_optimizer()
        optimizer = getattr(self, "optimizer", None)
        with averages_of(optimizer, self.optimized_variables):
            history = super().fit(
                x,
                y,
                batch_size,
                epochs,
                verbose,
                callbacks,
                validation_split,
                *args,
                **kwargs,
            )
        if measure_again and history.epoch:
            self.measure_again(x, batch_size, validation_split)
        for callback in _each(callbacks):
            if isinstance(callback, GateScheduler) and self.gated:
                callback.report_open_gate()
        return history

    def _with_own_callbacks(self, callbacks):
        """Puts ours first, a `GateScheduler` unless the caller brought one."""
        if isinstance(callbacks, keras.callbacks.CallbackList):
            return callbacks  # A container set up by hand stays as it is.
        given = keras.tree.flatten(callbacks) if callbacks else []
        own = [ImageRangeCheck()]
        if self.gated and not any(isinstance(c, GateScheduler) for c in given):
            own.append(GateScheduler())
        return [*own, *given]

    def evaluate(
        self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Evaluates both paths, as `keras.Model.evaluate` does."""
        warn_of_small_values(self, x)
        check_labels(self, y)
        self.image_range.forget()
        results = super().evaluate(x, y, *args, **kwargs)
        self.image_range.warn(self)
        return results

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns logits, as `keras.Model.predict` does."""
        warn_of_small_values(self, x)
        return super().predict(x, *args, **kwargs)


def _for_any_backend(config):
    """Names Keras's optimizers as they are called on every backend.

    On PyTorch Keras writes down where that backend has its own, and such a
    file loads nowhere else.
    """
    if not isinstance(config, dict):
        return config
    plain = {key: _for_any_backend(value) for key, value in config.items()}
    if str(plain.get("module", "")).startswith(TORCH_OPTIMIZERS):
        plain["module"] = "keras.optimizers"
    return plain


def _each(callbacks):
    """Returns callbacks one by one, also those of a container."""
    return getattr(callbacks, "callbacks", callbacks)


def _check_moves_gate(optimizer):
    if getattr(optimizer, "use_ema", False):
        raise ValueError(
            "An optimizer that averages its variables cannot update a gate, "
            "whose columns must reach 1: leave `lambda_2` out, so that a "
            "budget closes the gate. Received: use_ema=True"
        )
