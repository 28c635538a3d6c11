"""Writes the table of docs/licences.md: what each direct dependency is under.

    python tools/dependency_licences.py           # prints it
    python tools/dependency_licences.py --write   # renews it in the page

The licence is what the installed package says of itself.
"""

import argparse
import importlib.metadata
import pathlib
import re
import tomllib

from packaging.requirements import Requirement

from keras_csg.commands.installed import OF_DEVELOPERS

ROOT = pathlib.Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
START, END = "<!-- generated -->\n", "<!-- end -->\n"
# Packages that are installed on other systems alone.
ELSEWHERE = {"coremltools": "BSD-3-Clause"}
# Those that say so in a sentence, or by a classifier, in SPDX's words.
SPDX = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "mit license": "MIT",
    "bsd license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "2-clause bsd license": "BSD-2-Clause",
    "python software foundation license": "PSF-based",
}


def direct_dependencies():
    """Returns the parts that need each package, `core` for the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = project["project"]
    parts = {"core": project["dependencies"]}
    for extra, lines in project["optional-dependencies"].items():
        if extra not in OF_DEVELOPERS:
            parts[extra] = lines
    found = {}
    for part, lines in parts.items():
        for line in lines:
            found.setdefault(Requirement(line).name, []).append(part)
    return found


def licence_of(name):
    """Returns what an installed package says of its licence."""
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    about = importlib.metadata.metadata(name)
    stated = about.get("License-Expression") or ""
    named = [
        line.rpartition("::")[2].strip()
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    text = (about.get("License") or "").strip()
    if not stated and len(text) < 40 and "\n" not in text:
        stated = text  # Longer ones are the licence itself.
    stated = stated or " and ".join(named)
    if not stated:
        raise SystemExit(f"{name} does not say what it is under")
    return SPDX.get(stated.lower(), stated)


def table():
    """Returns the table in Markdown."""
    rows = ["| package | for | licence |", "| --- | --- | --- |"]
    for name, parts in sorted(direct_dependencies().items()):
        rows.append(f"| {name} | {', '.join(parts)} | {licence_of(name)} |")
    return "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    if not parser.parse_args().write:
        print(table(), end="")
        return
    text = PAGE.read_text("utf-8")
    pattern = re.escape(START) + ".*" + re.escape(END)
    new = START + "\n" + table() + "\n" + END
    PAGE.write_text(re.sub(pattern, lambda m: new, text, flags=re.S), "utf-8")


if __name__ == "__main__":
    main()
