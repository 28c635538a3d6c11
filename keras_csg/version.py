"""The version of this package, also where it is not installed."""

import functools
import importlib
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


def package_version(name: str) -> str:
    """Returns the version of a package, under whatever name it was installed.

    Args:
        name: str, such as `"tensorflow"`, which may come as `tensorflow-cpu`.

    Raises:
        ModuleNotFoundError: if there is no such package.
    """
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return importlib.import_module(name.replace("-", "_")).__version__


__version__ = version()
