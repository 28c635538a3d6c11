"""Prints what each extra adds to an installation: packages and megabytes.

    python tools/extra_sizes.py

Of what is installed here, by the lists of files that packages keep.
"""

import importlib.metadata
import re
import tomllib

from dependency_licences import ROOT
from packaging.requirements import Requirement

from keras_csg.commands.installed import OF_DEVELOPERS


def closure(lines):
    """Returns the packages that requirements bring, and those not here."""
    found, missing, waiting = set(), set(), [(line, "") for line in lines]
    seen = set()
    while waiting:
        line, extra = waiting.pop()
        needed = Requirement(line)
        marker = needed.marker
        if marker and not marker.evaluate({"extra": extra}):
            continue
        name = re.sub(r"[-_.]+", "-", needed.name).lower()
        for inner in needed.extras or {""}:
            if (name, inner) in seen:
                continue
            seen.add((name, inner))
            try:
                requires = importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:
                missing.add(name)
                continue
            found.add(name)
            waiting += [(line, inner) for line in requires]
    return found, missing


def megabytes(names):
    """Returns the size of packages' files."""
    sizes = (
        path.stat().st_size
        for name in names
        for file in importlib.metadata.files(name) or []
        if (path := file.locate()).is_file()
    )
    return sum(sizes) / 1e6


def main():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = project["project"]
    core, _ = closure(project["dependencies"])
    print("| part | packages | MB |\n| --- | ---: | ---: |")
    print(f"| (the package) | {len(core)} | {megabytes(core):,.0f} |")
    for extra, lines in project["optional-dependencies"].items():
        if extra in OF_DEVELOPERS:
            continue
        found, missing = closure(lines)
        new = found - core
        size = f"{megabytes(new):,.0f}" if not missing else "not here"
        print(f"| {extra} | {len(new)} | {size} |")


if __name__ == "__main__":
    main()
