"""Attacked, spoiled and unfamiliar images, and what a classifier makes of them.

`__init__.pyi` says where each public name comes from. It is imported when it
is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
