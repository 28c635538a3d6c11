"""How many threads a runtime computes in, for those who open a file."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class RuntimeThreads:
    """Threads of a runtime.

    Args:
        count: int; `None` for the runtime's choice.
        spinning: bool. Whether they may wait for work by taking a processor's
            time, which is quickest where nothing else needs it.
    """

    count: int | None = None
    spinning: bool = True


_current: contextvars.ContextVar[RuntimeThreads] = contextvars.ContextVar(
    "runtime_threads"
)


def current_threads() -> RuntimeThreads:
    """Returns what files are opened with now."""
    return _current.get(RuntimeThreads())


@contextlib.contextmanager
def runtime_threads(
    count: int | None = None, *, spinning: bool = True
) -> Iterator[None]:
    """Says how many threads the files that are opened inside compute in.

    Args:
        count: int; `None` for the runtime's choice.
        spinning: see `RuntimeThreads`.
    """
    token = _current.set(RuntimeThreads(count, spinning))
    try:
        yield
    finally:
        _current.reset(token)
