"""The version of this package, and what goes with the next one.

The version is there also where the package is not installed.
"""

import functools
import importlib
import importlib.metadata
import warnings
from collections.abc import Callable
from typing import TypeVar

Called = TypeVar("Called", bound=Callable)
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


def deprecated(
    new: str, *, until: str, old: str | None = None
) -> Callable[[Called], Called]:
    """Makes a public function or method warn that it goes, and what comes.

    For one minor version: what 0.2 replaced warns through all of 0.2 and is
    gone with 0.3.

    Args:
        new: str. What comes in its place, such as
            `"keras_csg.training.open_run"`.
        until: str. The first version without it, such as `"0.3"`.
        old: str. The name that users know it by, if not its own.

    Returns:
        A decorator; the function does what it did.

    Example:
    >>> @deprecated("new_name", until="0.3")
    ... def old_name():
    ...     return 1
    """

    def decorate(function: Called) -> Called:
        @functools.wraps(function)
        def warning(*args, **kwargs):
            name = f"{old or function.__qualname__}()"
            warn_of_deprecated(name, new, until=until, stacklevel=3)
            return function(*args, **kwargs)

        return warning  # type: ignore[return-value]

    return decorate


def warn_of_deprecated(
    old: str, new: str, *, until: str, stacklevel: int = 3
) -> None:
    """Warns of a name, an argument or an order of arguments that goes.

    Args:
        old: str. What was written.
        new: str. What comes in its place.
        until: str. The first version that no longer takes it.
        stacklevel: int. As of `warnings.warn`; 3 names the caller of the
            function that asks this.
    """
    warnings.warn(
        f"`{old}` is deprecated and goes with version {until}: "
        f"in its place comes {new}.",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


__version__ = version()
