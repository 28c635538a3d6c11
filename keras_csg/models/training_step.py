from typing import Any

import keras
import numpy as np
from keras import ops

from keras_csg.engines import engine
from keras_csg.models.batch_statistics import StatisticsTrainer
from keras_csg.models.image_range import ImageRange, sole_input
from keras_csg.models.losses import matches
from keras_csg.models.objective import dual_path_loss
from keras_csg.models.on_logits import average_precision
from keras_csg.models.schedules import weights_at
from keras_csg.optimizers.slots import slots_of


class DualPathStep(StatisticsTrainer):
    """Trains and tests a gated classifier on one batch.

    Of the classifier it needs `features`, `gated`, `multi_label` and
    `score_names`, for a gated one `gate`, `gate_budget` (or `None`) and
    `schedule` too, and what `dual_path_loss` asks for.
    """

    def track_paths(self) -> None:
        """Adds the metrics of the losses, and the weights of the two paths.

        When the classifier's layers are there.
        """
        self.total_loss = keras.metrics.Mean("total_loss")
        self.image_range = ImageRange()
        if not self.gated:
            return
        self.path_weights = self.add_weight(
            name="path_weights",
            shape=(2,),
            initializer="ones",
            trainable=False,
            dtype="float32",
            autocast=False,
        )
        self.begin_epoch(0)
        self.epochs_trained = 0
        self.path_losses = [
            keras.metrics.Mean(name) for name in self._loss_names()
        ]
        name = self.score_names[-1]
        self.class_specific_score = (
            average_precision(name, self.num_classes)
            if self.multi_label
            else keras.metrics.Mean(name)
        )

    def _loss_names(self):
        yield "gated_loss"
        yield "class_specific_loss"
        if self.lambda_4:
            yield "complement_loss"
        if self.lambda_5:
            yield "off_class"
        if self.lambda_6:
            yield "off_class_variance"
        if self.lambda_2:
            yield "sparsity_penalty"

    def begin_epoch(self, epoch: int) -> None:
        """Sets the weights of the two paths as `schedule` has them.

        `fit` does so by itself; an own loop, or one over `train_on_batch`, by
        this call.

        Args:
            epoch: int, from 0.
        """
        self.path_weights.assign(weights_at(self.schedule, epoch))

    def save_own_variables(self, store: Any) -> None:
        """Keeps how many epochs the model was trained beside its weights."""
        super().save_own_variables(store)
        if self.gated:
            store["epochs_trained"] = np.array(self.epochs_trained)

    def load_own_variables(self, store: Any) -> None:
        """Loads them; version 0.1.0 did not write the epochs."""
        # An entry of an HDF5 file has keys and cannot be iterated over.
        values = {name: store[name] for name in store.keys()}
        epochs_trained = values.pop("epochs_trained", 0)
        super().load_own_variables(values)
        if self.gated:
            self.epochs_trained = int(np.asarray(epochs_trained))

    @property
    def optimized_variables(self) -> list[Any]:
        """The variables that the optimizer updates.

        All trainable ones but the gate where a budget closes it.
        """
        variables = self.trainable_variables
        if not self.gated or self.gate_budget is None:
            return variables
        gate_matrix = self.gate.gate_matrix
        return [v for v in variables if v is not gate_matrix]

    def compute_dual_path_loss(
        self,
        features: Any,
        y: Any,
        sample_weight: Any = None,
        training: bool = False,
    ) -> tuple[Any, dict[str, Any]]:
        """Computes the losses of both paths; see `objective.dual_path_loss`.

        While training with the weights of the epoch, else with 1 for both.
        """
        weights = (1.0, 1.0)
        if training and self.gated:
            weights = ops.unstack(ops.convert_to_tensor(self.path_weights))
        return dual_path_loss(
            self, features, y, sample_weight, training, weights
        )

    @property
    def learned_variables(self) -> list[Any]:
        """What a step takes the loss's gradient by, for `apply_gradients`."""
        if not self._budget_moves():
            return self.optimized_variables
        return [*self.optimized_variables, self.gate.gate_matrix]

    def train_step(self, *args: Any) -> Any:
        """Trains both paths on a batch, from one pass of the backbone.

        Args:
            *args: what Keras hands a step on the backend in use.
        """
        return engine.train_step(self, *args)

    def test_step(self, *args: Any) -> Any:
        """Evaluates both paths on a batch; see `train_step`."""
        return engine.test_step(self, *args)

    def batch_loss(
        self, x: Any, y: Any, sample_weight: Any, training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        """Returns what a step minimises, and the losses of the paths.

        The layers' own penalties, a gate's among them, are added. Gradients
        are summed over the replicas of a distributed step, so every loss is
        divided by their number; Keras has done so to the paths'.

        Args:
            x: images, and see `compute_dual_path_loss` for the others.
            y: see there.
            sample_weight: see there.
            training: see there.
        """
        x = sole_input(x)
        self.image_range.see(x)
        if training:
            features = self.training_features(x)
        else:
            features = self.features(x, training=False)
        loss, paths = self.compute_dual_path_loss(
            features, y, sample_weight, training
        )
        replicas = engine.count_replicas()
        if self.losses:
            loss += ops.sum(self.losses) / replicas
        if self.gated and self.lambda_2:
            paths["sparsity_penalty"] = ops.sum(self.gate.losses) / replicas
        return loss, paths

    def apply_gradients(self, gradients: list[Any]) -> None:
        """Updates the weights and, where the gated path trains, the gate.

        Args:
            gradients: of the scaled loss, by `learned_variables`.
        """
        variables = self.optimized_variables
        count = len(variables)
        self._apply_with_gate_held(gradients[:count], variables)
        for gradient in gradients[count:]:
            self.move_gate(gradient)

    def _budget_moves(self):
        return (
            self.gated
            and self.gate_budget is not None
            and self.gate.trainable
            and self.trainable
        )

    def move_gate(self, gradient: Any) -> None:
        """Takes a step of the gate's budget where the gated path trains.

        `fit` and `train_on_batch` do; an own loop does so after each update of
        `optimized_variables`.

        Args:
            gradient: Tensor of shape `(classes, filters)`, of the loss by
                `gate.gate_matrix`; scaled as `optimizer.scale_loss` scales.
        """
        # What a loss is scaled by for float16 must not weigh in the scores.
        gradient = gradient / self.optimizer.scale_loss(ops.ones(()))
        gate_matrix = self.gate.gate_matrix
        gate_matrix.assign(
            self.gate_budget.update(
                ops.convert_to_tensor(gate_matrix),
                engine.sum_over_replicas(gradient),
                self.path_weights[1] > 0,
            )
        )

    def _apply_with_gate_held(self, gradients, variables):
        """Updates the weights, and the gate only where its path trains.

        Without its path's gradient an optimizer would still move it, by
        momentum and projection, and the penalty alone would enter its moments.
        """
        if not self.gated or self.gate_budget is not None:
            engine.update(self.optimizer, gradients, variables)
            return
        gate_matrix = self.gate.gate_matrix
        held = [gate_matrix, *slots_of(self.optimizer, gate_matrix)]
        before = [ops.copy(variable) for variable in held]
        engine.update(self.optimizer, gradients, variables)
        moves = self.path_weights[1] > 0
        for variable, value in zip(held, before, strict=True):
            variable.assign(ops.where(moves, variable.value, value))

    def batch_logs(
        self, x: Any, y: Any, loss: Any, paths: dict, sample_weight: Any
    ) -> dict[str, Any]:
        """Updates the metrics and returns their state.

        `loss` is the standard path's, whatever the schedule weighs: a
        callback can follow it from the first epoch to the last.

        Args:
            x: images, and see `batch_loss` for the others.
            y: see there.
            loss: what `batch_loss` returned first.
            paths: what it returned second.
            sample_weight: see there.
        """
        replicas = engine.count_replicas()
        batch_size = ops.shape(paths["logits"])[0]
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(paths["loss"] * replicas, batch_size)
        self.total_loss.update_state(loss * replicas, batch_size)
        if not self.gated:
            return self.compute_metrics(x, y, paths["logits"], sample_weight)
        for tracker in self.path_losses:
            tracker.update_state(paths[tracker.name] * replicas, batch_size)
        logits = paths["class_specific_logits"]
        if self.multi_label:
            self.class_specific_score.update_state(y, logits)
        else:
            self.class_specific_score.update_state(matches(y, logits))
        logs = self.compute_metrics(x, y, paths["logits"], sample_weight)
        return {**logs, "l1_density": self.gate.l1_density()}
