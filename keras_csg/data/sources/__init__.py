"""Where images come from: folders, TensorFlow Datasets, drawn ones."""

import lazy_loader

# So that what needs no pipeline works where TensorFlow is not installed.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
