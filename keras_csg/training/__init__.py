"""Training runs: their options, their directories, what happens in them."""

import lazy_loader

# So that options alone are quick to import.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
