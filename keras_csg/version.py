"""The version of this package, also where it is not installed."""

import functools
import importlib.metadata

UNKNOWN = "0+unknown"
"""Of a checkout that nobody installed."""


@functools.cache
def version() -> str:
    """Returns the version, such as `"0.1.0"`; `UNKNOWN` if not installed."""
    try:
        return importlib.metadata.version("keras-csg")
    except importlib.metadata.PackageNotFoundError:
        return UNKNOWN


__version__ = version()
