"""What is installed beside the package, by what the package itself asks for."""

import importlib.metadata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISTRIBUTION = "keras-csg"
# Of which a reader of a report of a fault wants to know the version first.
TOLD_FIRST = (
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "onnxruntime",
    "ai-edge-litert",
)
# Extras for those who work on the package itself.
OF_DEVELOPERS = {"bench", "dev", "docs", "test", "test-core", "triton"}
# Names under which others install the same modules.
OTHER_NAMES = {
    "tensorflow": ("tensorflow-cpu", "tensorflow-macos"),
    "onnxruntime": ("onnxruntime-gpu",),
}


def versions_told() -> dict[str, str]:
    """Returns the versions of what matters most, of what is installed.

    Nothing is imported for it.
    """
    found = ((name, installed_version(name)) for name in TOLD_FIRST)
    return {name: version for name, version in found if version}


def installed_version(name: str) -> str | None:
    """Returns the version of a package, `None` where it is not installed."""
    for known in (name, *OTHER_NAMES.get(name, ())):
        try:
            return importlib.metadata.version(known)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def packages() -> list[dict[str, Any]]:
    """Returns what the package needs, beside what is there.

    Returns:
        List of dicts: `name`, `needed` such as `">=3.15"`, `installed`, a
        version or `None`, and `fits`, bool.
    """
    return [_described(needed) for needed in _requirements("")]


def extras() -> list[dict[str, Any]]:
    """Returns the optional parts, and how to get those that are missing.

    Returns:
        List of dicts: `name`; `missing`, a list of packages that are not there
        or too old; `here`, bool; `install`, the line that brings them.
    """
    return [_extra(name) for name in _extra_names()]


def _extra(name):
    wanted = [_described(needed) for needed in _requirements(name)]
    missing = [f"{p['name']}{p['needed']}" for p in wanted if not p["fits"]]
    return {
        "name": name,
        "here": not missing,
        "missing": missing,
        "install": f"pip install '{DISTRIBUTION}[{name}]'",
    }


def _extra_names():
    """Leaves out those of which nothing is for this system."""
    about = _metadata()
    named = [] if about is None else about.get_all("Provides-Extra") or []
    users = [name for name in named if name not in OF_DEVELOPERS]
    return [name for name in users if any(_requirements(name))]


def _requirements(extra: str) -> "Iterator[Requirement]":
    """Gives what an extra needs here, or for `""` the package itself."""
    about = _metadata()
    lines = [] if about is None else about.get_all("Requires-Dist") or []
    for needed in map(_parsed, lines):
        if _wanted(needed, extra) and (not extra or not _wanted(needed, "")):
            yield needed


def _parsed(line):
    # Not above: `--version` has to be told without it.
    from packaging.requirements import Requirement

    return Requirement(line)


def _wanted(needed, extra):
    return needed.marker is None or needed.marker.evaluate({"extra": extra})


def _described(needed):
    version = installed_version(needed.name)
    fits = version is not None and needed.specifier.contains(
        version, prereleases=True
    )
    inner = f"[{','.join(sorted(needed.extras))}]" if needed.extras else ""
    return {
        "name": needed.name + inner,
        "needed": str(needed.specifier),
        "installed": version,
        "fits": fits and (not inner or _has_extras(needed)),
    }


def _has_extras(needed):
    """Whether an extra of another package, such as CUDA's, is there."""
    try:
        lines = importlib.metadata.requires(needed.name) or []
    except importlib.metadata.PackageNotFoundError:
        return False  # Under another name, which need not have it.
    return all(
        installed_version(inner.name) is not None
        for inner in map(_parsed, lines)
        if any(_wanted(inner, extra) for extra in needed.extras)
        and not _wanted(inner, "")
    )


def _metadata():
    try:
        return importlib.metadata.metadata(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return None  # A checkout that nobody installed.
