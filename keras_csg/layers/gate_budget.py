from typing import Any

import keras
from keras import ops

from keras_csg.arguments import FixedArgument, density_or_none, share
from keras_csg.layers.filter_shares import (
    one_filter_each,
    own_filters,
    owners,
    share_out,
    share_out_classes,
)

CLOSING_STEPS = 1000
"""Steps in which a gate closes where nobody says how long training takes."""
HELD = 2**31 - 1
MOST_OPEN = 1e30  # Stands for infinity where that times zero must be zero.
NEWTON_STEPS = 6
ENTRIES_A_STEP = 2**18
"""Size of a gate that is derived from its scores in every step."""


def default_density(classes: int, filters: int) -> float:
    """Returns the density that a gate closes to where nobody says.

    One class for each filter, `1 / classes`, is the least. With fewer filters
    than classes the least is one filter for each class, `1 / filters`, which
    it shares with others; there both together leave room to tell these apart.
    """
    shared = 1 / filters if filters < classes else 0.0
    return 1 / classes + shared


@keras.saving.register_keras_serializable(package="keras_csg")
class GateBudget(keras.layers.Layer):
    """Closes a gate to its budget while the network trains.

    A gate matrix `G`, of shape `(classes, filters)`, starts at ones and ends
    with `mean(G) == density`. In between the budget tightens as
    `density + (1 - density) (1 - t)^3`, the cubic form of gradual pruning,
    `t` from 0 to 1 over the planned steps; afterwards the gate rests.

    The gate is not moved by the optimizer but derived from scores, the summed
    negative gradients of the loss with respect to the gate: how much each
    class has gained from each filter so far. Each column is open, 1, to its
    best class and to another one as far as its score falls short:
    `relu(1 - sharpness (best - score))`, with the sharpness that meets the
    budget. So neither the optimizer, nor its rate, nor the scale of the loss
    says how far the gate closes, only the scores' order and proportions say
    where. (Dual averaging: Xiao, 2010.)

    Every class is to have a least share of the filters: one that is short
    takes over those it is closest to winning from classes that have more.

    Args:
        density: float, at most 1; `None` for `default_density`. The least that
            is reached is `1 / min(classes, filters)`.
        least_share: float in `[0, 1]`. Share of the even `filters / classes`
            that every class is to have at least; one filter in any case.

    Reference:
        - [Zhu and Gupta, 2017](https://arxiv.org/abs/1710.01878)
        - [Xiao, 2010](https://jmlr.org/papers/v11/xiao10a.html)
    """

    density: Any = FixedArgument()
    least_share: Any = FixedArgument()

    def __init__(
        self,
        density: float | None = None,
        least_share: float = 0.5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.density = density_or_none(density)
        self.least_share = share("least_share", least_share)

    def build(self, gate_shape: tuple) -> None:
        """Creates the scores and the plan for a gate of the given shape."""
        classes, filters = gate_shape
        even = int(self.least_share * filters / classes)
        self.least_filters = 0 if filters < classes else max(even, 1)
        # Of a large gate each step adds up the scores alone, and only some
        # look for the gate that they stand for.
        self.every = max(1, classes * filters // ENTRIES_A_STEP)
        self.target = self.density or default_density(classes, filters)
        self.scores = self._add("scores", (classes, filters))
        self.mean_square = self._add("mean_square")
        self.sharpness = self._add("sharpness")
        self.settled = self._add("settled")
        self.start = self._add("start")
        self.updates = self._add("updates", dtype="int32")
        self.planned_at = self._add("planned_at", dtype="int32")
        self.planned_steps = self._add("planned_steps", dtype="int32")
        self.built = True

    def _add(self, name, shape=(), dtype="float32"):
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            autocast=False,
            # Every replica computes the same from the same summed gradient.
            aggregation="only_first_replica",
        )

    def plan(self, steps: int) -> None:
        """Sets over how many more updates what is left of the way is gone.

        Args:
            steps: int, at least 1.
        """
        self.start.assign(self.progress())
        self.planned_at.assign(ops.copy(self.updates))
        self.planned_steps.assign(max(int(steps), 1))

    def hold(self) -> None:
        """Keeps the budget where it is for now, while scores are summed."""
        self.start.assign(self.progress())
        self.planned_at.assign(ops.copy(self.updates))
        self.planned_steps.assign(HELD)

    @property
    def is_planned(self) -> bool:
        """Whether a number of steps was set."""
        return 0 < int(ops.convert_to_numpy(self.planned_steps)) < HELD

    @property
    def is_closed(self) -> bool:
        """Whether the budget has reached its end."""
        return float(ops.convert_to_numpy(self.progress())) >= 1

    def progress(self, ahead: int = 0) -> Any:
        """Returns the way gone, in `[0, 1]`, after `ahead` more updates."""
        planned = ops.convert_to_tensor(self.planned_steps)
        steps = ops.where(planned > 0, planned, CLOSING_STEPS)
        gone = ops.cast(self.updates - self.planned_at + ahead, "float32")
        share = ops.minimum(gone / ops.cast(steps, "float32"), 1.0)
        return self.start + (1 - self.start) * share

    def budget(self, progress: Any) -> Any:
        """Returns the density that is allowed at a `progress` in `[0, 1]`."""
        return self.target + (1 - self.target) * (1 - progress) ** 3

    def update(self, gate_matrix: Any, gradient: Any, trains: Any) -> Any:
        """Takes a step, and returns the gate matrix after it.

        Args:
            gate_matrix: Tensor of shape `(classes, filters)`, as it is.
            gradient: of the loss with respect to it, over all replicas.
            trains: bool Tensor. Whether the gate is to move at all.

        Returns:
            Tensor of the gate's shape.
        """
        usable = ops.isfinite(ops.sum(gradient))  # Not where float16 overflows.
        moves = ops.logical_and(trains, usable)
        moves = ops.logical_and(moves, self.settled < 1)
        state = [
            self.scores,
            self.mean_square,
            self.sharpness,
            self.settled,
            self.updates,
        ]
        gate_matrix, *values = ops.cond(
            moves,
            lambda: self._step(gate_matrix, gradient),
            lambda: [gate_matrix, *map(ops.convert_to_tensor, state)],
        )
        for variable, value in zip(state, values, strict=True):
            variable.assign(value)
        return gate_matrix

    def _step(self, gate_matrix, gradient):
        closing = self.progress() < 1
        progress = self.progress(ahead=1)
        scores, mean_square = self._scores_after(gradient, closing)
        due = ops.equal((self.updates + 1) % self.every, 0)
        gate_matrix, scores, sharpness, settled = ops.cond(
            ops.logical_or(due, progress >= 1),
            lambda: self._derived(scores, progress),
            lambda: [
                gate_matrix,
                scores,
                ops.convert_to_tensor(self.sharpness),
                ops.convert_to_tensor(self.settled),
            ],
        )
        return [
            gate_matrix,
            scores,
            mean_square,
            sharpness,
            settled,
            self.updates + 1,
        ]

    def _derived(self, scores, progress):
        """Returns the gate of the scores, with what goes with it."""
        if self.least_filters:
            scores, short = share_out(scores, self.least_filters)
        else:
            scores, short = share_out_classes(scores)
        gate_matrix, sharpness = open_gates(
            scores,
            self.budget(progress),
            ops.convert_to_tensor(self.sharpness),
        )
        met = ops.mean(gate_matrix) < 1.001 * self.target
        done = ops.logical_and(progress >= 1, ops.logical_and(met, short <= 0))
        return [gate_matrix, scores, sharpness, ops.cast(done, "float32")]

    def _scores_after(self, gradient, closing):
        """Adds the gradient, on the scale of those before, to the scores."""
        seen = ops.cast(self.updates + 1, "float32")
        square = ops.mean(ops.square(gradient))
        mean_square = self.mean_square + (square - self.mean_square) / seen
        step = gradient / (ops.sqrt(mean_square) + 1e-20)
        scores = ops.convert_to_tensor(self.scores)
        return ops.where(closing, scores - step, scores), mean_square

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "density": self.density,
            "least_share": self.least_share,
        }


def open_gates(scores: Any, budget: Any, sharpness: Any) -> tuple[Any, Any]:
    """Opens each filter to its best class, and to others within the budget.

    Args:
        scores: Tensor of shape `(classes, filters)`.
        budget: scalar in `(0, 1]`: what the mean of the matrix may be.
        sharpness: scalar, where to start looking for the one that meets it.

    Returns:
        A tuple of the gate matrix, of the scores' shape and in `[0, 1]`, and
        the sharpness. Newton's method comes from the open side, so that the
        mean may be a little above the budget.
    """
    best, own, live = own_filters(scores, owners(scores))
    kept = _kept(scores, best, own)
    others = ops.logical_and(ops.logical_not(kept), live)
    distances = ops.where(others, best - scores, 0.0)
    size = ops.cast(ops.size(scores), "float32")
    kept_count = ops.sum(ops.cast(kept, "float32"))
    spare = ops.relu(budget * size * (1 + 1e-6) - kept_count)
    for _ in range(NEWTON_STEPS):
        active = ops.logical_and(others, distances * sharpness < 1)
        count = ops.sum(ops.cast(active, "float32"))
        total = ops.sum(ops.where(active, distances, 0.0))
        steeper = (count - spare) / ops.maximum(total, 1 / MOST_OPEN)
        sharpness = ops.where(count > spare, steeper, sharpness / 4)
    part = ops.relu(1 - distances * sharpness)
    # Less than a thousandth of a filter is what rounding leaves: the floor.
    part = ops.where(ops.logical_and(others, spare > 1e-3), part, 0.0)
    return ops.where(kept, 1.0, part), sharpness


def _kept(scores, best, own):
    """Says where the gate is 1: a filter's own class, a class's best filter.

    The latter for classes without any filter of their own, and for all where
    there are fewer filters than classes.
    """
    classes, filters = scores.shape
    if filters < classes:
        return one_filter_each(scores, own)
    lacking = ops.logical_not(ops.any(own, axis=1, keepdims=True))
    distances = best - scores
    nearest = distances <= ops.min(distances, axis=1, keepdims=True)
    first = ops.equal(
        ops.cumsum(ops.cast(nearest, "int32"), axis=1) * nearest, 1
    )
    return ops.logical_or(own, ops.logical_and(lacking, first))
