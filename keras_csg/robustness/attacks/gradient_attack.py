import functools
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_csg.engines import engine
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.distance import (
    WHITE,
    random_within,
    steepest,
    within,
)

STEPS = 10
"""Steps of PGD."""
STEP = 2.5
"""Length of all of its steps together, in units of epsilon."""


NEVER = -1e30
"""Logit of what is left out of a sum of exponentials."""


class Attacked(NamedTuple):
    """Images that were attacked.

    Attributes:
        images: float32 array of shape `(samples, height, width, 3)`, in
            0..255.
        zero_gradient: bool array of shape `(samples,)`: where the gradient was
            zero, or not finite, at every step, so nothing could be tried.
    """

    images: np.ndarray
    zero_gradient: np.ndarray


class GradientAttack:
    """Changes images along the gradient of a classifier's loss.

    The loss is `label_losses`: along the cross-entropy's gradient, without its
    rounding.

    FGSM is one step of length `epsilon` from the image itself; PGD several
    short ones from a random point near it, each brought back to within
    `epsilon` of the image and to 0..255. The gradient is by the pixels, through
    the model's own normalization, and the whole batch takes a step at a time.

    Args:
        model: `CSGClassifier`.
        norm: `"linf"` or `"l2"`: how distances are measured.
        targeted: bool. Whether labels are what the network is to say, and not
            what it is not to say.
        head: `"standard"` or `"class_specific"`: whose loss.
        steps: int, at least 1.
        random_start: bool. Whether to start at a random point within
            `epsilon`.
        seed: int. Seed of that.

    Call arguments:
        images: array of shape `(samples, height, width, 3)`, RGB in 0..255.
        labels: ints of shape `(samples,)`, or zeros and ones of shape
            `(samples, classes)`.
        epsilon: float. Strength, as a share of the range of pixels.
        numbers: ints of shape `(samples,)`: those of the images, which the
            random points hang on; `None` for 0, 1, ...
        step_size: float, in the same unit; `None` for `2.5 * epsilon / steps`,
            and `epsilon` for one step.

    Returns:
        `Attacked`.

    Raises:
        ValueError: if the class-specific head is asked for without a gate.

    Reference:
        - [Goodfellow et al., 2015](https://arxiv.org/abs/1412.6572)
        - [Madry et al., 2018](https://arxiv.org/abs/1706.06083)
    """

    def __init__(
        self,
        model: CSGClassifier,
        *,
        norm: str = "linf",
        targeted: bool = False,
        head: str = "standard",
        steps: int = STEPS,
        random_start: bool = True,
        seed: int = 0,
    ) -> None:
        if head == "class_specific":
            model.require_gate()
        self.model = model
        self.norm = norm
        self.steps = steps
        self.random_start = random_start
        self.seed = seed
        self._losses = functools.partial(
            attack_losses, model, head, -1 if targeted else 1
        )
        # What the losses of a special attack hang on beside.
        self._more: tuple = ()
        self._step: Any = None

    def __call__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        epsilon: float,
        numbers: np.ndarray | None = None,
        step_size: float | None = None,
    ) -> Attacked:
        """Returns the attacked images."""
        images = np.asarray(images, "float32")
        length = STEP * epsilon / self.steps if self.steps > 1 else epsilon
        if step_size is not None:
            length = step_size
        state = (
            np.asarray(labels),
            images,
            np.float32(epsilon * WHITE),
            np.float32(length * WHITE),
            *self._more,
        )
        if self._step is None:
            self._step = engine.gradient_step(
                self._losses, self._move, self.model, images, state
            )
        attacked = images
        if self.random_start:
            numbers = np.arange(len(images)) if numbers is None else numbers
            start = random_within(
                images.shape[1:],
                epsilon * WHITE,
                self.norm,
                self.seed,
                numbers,
            )
            attacked = np.clip(images + start, 0, WHITE)
        zero = np.ones(len(images), bool)
        for _ in range(self.steps):
            attacked, flat = self._step(attacked, *state)
            zero &= flat
        # Where nothing could be tried, a random point is no attack either.
        attacked = np.where(zero[:, None, None, None], images, attacked)
        return Attacked(attacked, zero)

    def _move(
        self, gradients, losses, images, _, originals, epsilon, length, *__
    ):
        """Takes one step of the whole batch."""
        # 0 * NaN is NaN: what is not finite is no direction.
        finite = ops.isfinite(gradients)
        gradients = ops.where(finite, gradients, ops.zeros_like(gradients))
        zero = ops.all(ops.equal(gradients, 0), axis=(1, 2, 3))
        moved = images + length * steepest(gradients, self.norm)
        moved = originals + within(moved - originals, epsilon, self.norm)
        return ops.clip(moved, 0.0, WHITE), zero


def attack_losses(
    model: CSGClassifier,
    head: str,
    sign: int,
    images: Any,
    labels: Any,
    *_: Any,
) -> Any:
    """Returns what an attack makes large, `(batch,)`; see `label_losses`.

    Args:
        model: `CSGClassifier`.
        head: `"standard"` or `"class_specific"`.
        sign: 1, or -1 for labels that the network is to say.
        images: Tensor of shape `(batch, height, width, 3)`.
        labels: Tensor of shape `(batch,)` or `(batch, classes)`; what follows
            is not used.
    """
    features = model.features(images, training=False)
    logits = (
        model.head(features)
        if head == "standard"
        else model.class_specific_logits(features)
    )
    return sign * label_losses(model.multi_label, labels, logits)


def label_losses(multi_label: bool, labels: Any, logits: Any) -> Any:
    """Returns how far logits are from their labels, `(batch,)`.

    The logarithm of the odds against the label. The cross-entropy is its
    softplus, so an image's gradient points the same way. But where a network
    is sure, that of the cross-entropy is what rounding leaves of the
    difference of two equal numbers, or 0; networks with a gate are sure of
    most images, and seem robust by it.

    Where an image may have several classes, the sum of the classes' binary
    cross-entropies, written so that no difference is taken.

    Args:
        multi_label: bool. Whether it may.
        labels: ints of shape `(batch,)`, or zeros and ones of shape `(batch,
            classes)`.
        logits: Tensor of shape `(batch, classes)`.

    Reference:
        - [Carlini & Wagner, 2017](https://arxiv.org/abs/1608.04644), section
          IV, on attacks that fail by rounding
    """
    if multi_label:
        signs = 1 - 2 * ops.cast(labels, logits.dtype)
        return ops.sum(ops.softplus(signs * logits), axis=-1)
    own = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    others = ops.where(own > 0, NEVER, logits)
    return ops.logsumexp(others, axis=-1) - ops.sum(own * logits, axis=-1)


def fgsm(model: CSGClassifier, **settings: Any) -> GradientAttack:
    """Returns the fast gradient sign method; see `GradientAttack`.

    By `"l2"` the step is along the gradient itself.
    """
    return GradientAttack(model, steps=1, random_start=False, **settings)


def pgd(
    model: CSGClassifier, steps: int = STEPS, **settings: Any
) -> GradientAttack:
    """Returns projected gradient descent; see `GradientAttack`."""
    return GradientAttack(model, steps=steps, **settings)
