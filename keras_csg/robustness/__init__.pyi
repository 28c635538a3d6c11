from . import attacks as attacks
from .attacks import GradientAttack as GradientAttack
