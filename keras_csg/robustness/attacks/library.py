"""The attacks of adversarial-robustness-toolbox, on our classifiers."""

import contextlib
import importlib.util
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops

from keras_csg.choices import LIBRARY_ATTACKS
from keras_csg.engines import require_tensorflow
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.attacks.gradient_attack import (
    Attacked,
    fgsm,
    label_losses,
)
from keras_csg.robustness.distance import WHITE

NOT_INSTALLED = (
    "The attack {method} is of adversarial-robustness-toolbox, which is not "
    "installed: pip install 'keras-csg[attacks]'. fgsm and pgd need nothing."
)
QUERIES = 1000
"""Steps of the square attack, each of which asks the network once an image."""


OVERSHOOT = 0.02
"""How much farther DeepFool goes than the border, as in its paper: rounding
makes half of those that are on it right again."""


class LibraryAttack:
    """Changes images by an attack of adversarial-robustness-toolbox.

    With the library's own settings, but for fewer restarts, `QUERIES` and
    `OVERSHOOT`. It takes pixels in 0..1, which its settings are meant for; its
    random numbers are seeded and the caller's are left as they were.

    Args:
        model: `CSGClassifier`, with one class an image.
        method: str, of `keras_csg.choices.LIBRARY_ATTACKS`. `"apgd"` is PGD
            that chooses its own steps; `"square"` asks for answers alone, so
            that a vanishing gradient is no hindrance; `"deepfool"` and `"cw"`
            look for the least change that misleads, and know no `epsilon`.
        norm: `"linf"` or `"l2"`.
        targeted: bool. Whether labels are what the network is to say.
        head: `"standard"` or `"class_specific"`: whose answers.
        seed: int.

    Call arguments:
        images: see `GradientAttack`, as the next three.
        labels: ints of shape `(samples,)`.
        epsilon: see there.
        numbers: the first one seeds the batch.

    Returns:
        `Attacked`.

    Raises:
        ValueError: if the library is not installed, Keras does not run on
            TensorFlow, or the method cannot do what is asked.

    Reference:
        - [Croce & Hein, 2020](https://arxiv.org/abs/2003.01690), APGD
        - [Andriushchenko et al., 2020](https://arxiv.org/abs/1912.00049)
        - [Moosavi-Dezfooli et al., 2016](https://arxiv.org/abs/1511.04599)
        - [Carlini & Wagner, 2017](https://arxiv.org/abs/1608.04644)
    """

    def __init__(
        self,
        model: CSGClassifier,
        method: str,
        *,
        norm: str,
        targeted: bool = False,
        head: str = "standard",
        seed: int = 0,
    ) -> None:
        check_library(method)
        require_tensorflow("Attacks of adversarial-robustness-toolbox")
        if model.multi_label:
            raise ValueError(
                f"The attack {method} is for one class an image: use fgsm or "
                "pgd where there may be several."
            )
        if head == "class_specific":
            model.require_gate()
        self.model = model
        self.method = method
        self.norm = norm
        self.targeted = targeted
        self.head = head
        self.seed = seed
        self._estimator: Any = None
        self._flat = None
        if method != "square":
            self._flat = fgsm(model, targeted=targeted, head=head)

    def __call__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        epsilon: float,
        numbers: np.ndarray | None = None,
    ) -> Attacked:
        """Returns the attacked images."""
        images = np.asarray(images, "float32")
        zero = np.zeros(len(images), bool)
        if self._flat is not None:
            zero = self._flat(images, labels, epsilon).zero_gradient
        wanted = np.eye(self.model.num_classes, dtype="float32")[labels]
        first = 0 if numbers is None else int(numbers[0])
        with seeded([self.seed, first]), _without_advice():
            if self._estimator is None:  # Importing it takes seconds.
                self._estimator = _estimator(self.model, self.head)
            attack = _made(self, self._estimator, epsilon, len(images))
            found = attack.generate(images / WHITE, wanted)
        broken = ~np.isfinite(found).all(axis=(1, 2, 3))
        if broken.any():
            raise ValueError(
                f"The attack {self.method} of adversarial-robustness-toolbox "
                f"made {broken.sum()} of {len(images)} images that are no "
                "numbers: choose another method, or another `norm`."
            )
        return Attacked(np.clip(found * WHITE, 0, WHITE), zero)


def check_library(method: str) -> None:
    """Refuses an attack whose library is not installed.

    Raises:
        ValueError: with the way out.
    """
    missing = importlib.util.find_spec("art") is None
    if method in LIBRARY_ATTACKS and missing:
        raise ValueError(NOT_INSTALLED.format(method=method))


@contextlib.contextmanager
def seeded(seed: Any) -> Iterator[None]:
    """Seeds the random numbers that NumPy shares, and puts them back."""
    state = np.random.get_state()
    np.random.seed(np.random.SeedSequence(seed).generate_state(4))
    try:
        yield
    finally:
        np.random.set_state(state)


@contextlib.contextmanager
def _without_advice():
    """Holds back what the library warns of: what it could be used with too."""
    log = logging.getLogger("tensorflow")
    level = log.level
    log.setLevel(logging.ERROR)  # Of how it takes its gradients.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


class _Loss:
    """Our loss as the library asks for it: of rows of zeros and a one."""

    reduction = "mean"

    def __call__(self, labels: Any, logits: Any, *_: Any, **__: Any) -> Any:
        losses = label_losses(False, ops.argmax(labels, axis=-1), logits)
        return losses if self.reduction == "none" else ops.mean(losses)


def _made(asked, estimator, epsilon, samples):
    """Returns the library's attack."""
    from art.attacks import evasion

    batch: dict[str, Any] = {"batch_size": samples, "verbose": False}
    if asked.method == "deepfool":
        classes = asked.model.num_classes
        return evasion.DeepFool(
            estimator,
            max_iter=50,
            epsilon=OVERSHOOT,
            nb_grads=min(classes, 10),
            **batch,
        )
    if asked.method == "cw":
        return evasion.CarliniL2Method(
            estimator, targeted=asked.targeted, **batch
        )
    norm = np.inf if asked.norm == "linf" else 2
    if asked.method == "square":
        return evasion.SquareAttack(
            estimator, norm=norm, eps=epsilon, max_iter=QUERIES, **batch
        )
    return evasion.AutoProjectedGradientDescent(
        estimator,
        norm=norm,
        eps=epsilon,
        eps_step=2 * epsilon,
        targeted=asked.targeted,
        nb_random_init=1,
        **batch,
    )


def _estimator(model, head):
    import tensorflow as tf
    from art.estimators.classification import TensorFlowV2Classifier

    # The library takes steps one operation after the other: the network as one
    # graph is several times as fast.
    @tf.function(reduce_retracing=True, autograph=False)
    def logits(images: Any, training: bool = False) -> Any:
        features = model.features(images * WHITE, training=False)
        if head == "standard":
            return model.head(features)
        return model.class_specific_logits(features)

    return TensorFlowV2Classifier(
        model=logits,
        nb_classes=model.num_classes,
        input_shape=model.input_shape[1:],
        loss_object=_Loss(),
        clip_values=(0.0, 1.0),
    )
