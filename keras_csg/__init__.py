"""Image classifiers whose filters mean something.

Class-Specific Gates for Keras 3: Liang et al., "Training Interpretable
Convolutional Neural Networks by Differentiating Class-specific Filters", 2020.
"""

import lazy_loader

# Each name is imported when it is first asked for; `__init__.pyi` lists them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
