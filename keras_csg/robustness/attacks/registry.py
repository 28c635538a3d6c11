from collections.abc import Callable
from typing import Any

from keras_csg.choices import ATTACKS, LIBRARY_ATTACKS, NORMS
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.attacks.gradient_attack import Attacked, fgsm, pgd
from keras_csg.robustness.attacks.library import LibraryAttack, check_library

ONLY_L2 = ("deepfool", "cw")
NOT_TARGETED = ("deepfool", "square")


def usual_norm(method: str) -> str:
    """Returns the norm that an attack is mostly used with."""
    return "l2" if method in ONLY_L2 else "linf"


def check_attack(method: str, norm: str, targeted: bool) -> None:
    """Refuses what an attack cannot do, before anything is loaded.

    Args:
        method: str, of `keras_csg.choices.ATTACKS`.
        norm: `"linf"` or `"l2"`.
        targeted: bool.

    Raises:
        ValueError: naming the argument.
    """
    if method not in ATTACKS:
        raise ValueError(
            f"`method` must be one of {', '.join(ATTACKS)}. "
            f"Received: method={method!r}"
        )
    if norm not in NORMS:
        raise ValueError(
            f"`norm` must be one of {', '.join(NORMS)}. Received: norm={norm!r}"
        )
    if method in ONLY_L2 and norm != "l2":
        raise ValueError(
            f"`norm` must be l2 for {method}, which looks for the nearest "
            f"image by it. Received: norm={norm}"
        )
    if method == "square" and norm != "linf":
        # It divides by the length of changes that are none.
        raise ValueError(
            "`norm` must be linf for square: by l2 the library's makes images "
            f"that are no numbers. Received: norm={norm}"
        )
    if method in NOT_TARGETED and targeted:
        raise ValueError(
            f"`targeted` must be False for {method}: fgsm, pgd, apgd and cw "
            "can be given a class. Received: targeted=True"
        )
    check_library(method)


def create_attack(
    model: CSGClassifier, method: str, *, norm: str, **settings: Any
) -> Callable[..., Attacked]:
    """Returns an attack by its name.

    Args:
        model: `CSGClassifier`.
        method: str, of `keras_csg.choices.ATTACKS`.
        norm: `"linf"` or `"l2"`.
        **settings: `targeted`, `head` and `seed`; see `GradientAttack`.

    Returns:
        A callable from images, labels, an epsilon and the images' numbers to
        `Attacked`.

    Raises:
        ValueError: if the attack cannot do what is asked of it.
    """
    check_attack(method, norm, settings.get("targeted", False))
    if method in LIBRARY_ATTACKS:
        return LibraryAttack(model, method, norm=norm, **settings)
    make = {"fgsm": fgsm, "pgd": pgd}[method]
    return make(model, norm=norm, **settings)
