"""Image classifiers whose filters mean something.

Class-Specific Gates for Keras 3: Liang et al., "Training Interpretable
Convolutional Neural Networks by Differentiating Class-specific Filters", 2020.

`__init__.pyi` says where each public name comes from. It is imported when it
is first used: importing the package itself loads no library.
"""

import lazy_loader

from keras_csg.serialization import register_with_keras

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

register_with_keras()
