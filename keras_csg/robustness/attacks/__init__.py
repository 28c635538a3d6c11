"""Changes to images that people hardly see and networks go astray by."""

from keras_csg.robustness.attacks.adaptive import (
    AdaptiveAttack as AdaptiveAttack,
)
from keras_csg.robustness.attacks.gradient_attack import Attacked as Attacked
from keras_csg.robustness.attacks.gradient_attack import (
    GradientAttack as GradientAttack,
)
from keras_csg.robustness.attacks.gradient_attack import fgsm as fgsm
from keras_csg.robustness.attacks.gradient_attack import pgd as pgd
from keras_csg.robustness.attacks.library import LibraryAttack as LibraryAttack
from keras_csg.robustness.attacks.registry import create_attack as create_attack
