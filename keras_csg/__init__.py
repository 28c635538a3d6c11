"""Image classifiers whose filters mean something.

Class-Specific Gates for Keras 3: Liang et al., "Training Interpretable
Convolutional Neural Networks by Differentiating Class-specific Filters", 2020.

`__init__.pyi` says where each public name comes from. It is imported when it
is first used: importing the package itself loads no library.
"""

import threading
from typing import Any

import lazy_loader

from keras_csg.serialization import register_with_keras

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
_one_thread = threading.RLock()


def __getattr__(name: str) -> Any:
    # Python locks a module before its package: of two threads that import
    # one each, at once, both would wait for the other. Only public names wait
    # here, so no module of this package may take one with `from keras_csg
    # import ...` while it is itself being imported.
    if name not in __all__:
        return _attribute(name)
    with _one_thread:
        return _attribute(name)


register_with_keras()
