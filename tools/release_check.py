"""All that has to hold of a release, in one go.

    python tools/release_check.py            # about an hour on two cores
    python tools/release_check.py --only tree versions dist

Every check runs, also after one that failed; each ends in a line.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from build_dist import ROOT, build  # noqa: E402

MOST_BYTES = 6e6
GROUPS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
RELEASED = re.compile(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", re.MULTILINE)


class Wrong(Exception):
    """What a check found, in a line or more."""


def tree(root=ROOT):
    """Nothing is changed or new that is not committed."""
    said = _output(root, "git", "status", "--porcelain")
    if said.strip():
        raise Wrong(f"these are not committed:\n{said.rstrip()}")


def versions(root=ROOT):
    """One version, and one date, in all places that name them."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    version = project["project"]["version"]
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    cited = (root / "CITATION.cff").read_text("utf-8")
    page = (root / "docs" / "citing.md").read_text("utf-8")
    software = page.partition("@software")[2]
    released = RELEASED.findall(changes)
    if not released:
        raise Wrong("CHANGELOG.md has no version with a date")
    places = {
        "pyproject.toml": version,
        "CHANGELOG.md": released[0][0],
        "CITATION.cff": _field(cited, "version"),
        "docs/citing.md": _bibtex(software, "version"),
    }
    if len(set(places.values())) > 1:
        raise Wrong(", ".join(f"{k} says {v}" for k, v in places.items()))
    if _field(cited, "date-released") != released[0][1]:
        raise Wrong(f"CITATION.cff has another date than {released[0][1]}")
    if _bibtex(software, "year") != released[0][1][:4]:
        raise Wrong(f"docs/citing.md has another year than {released[0][1]}")
    waiting = changes.partition("## Unreleased")[2].partition("\n## ")[0]
    if waiting.strip():
        raise Wrong("CHANGELOG.md has changes under Unreleased")
    minor = version.rpartition(".")[0]
    kept = root / "tests" / "compatibility"
    if not list(kept.glob(f"{minor}.*/answers.npz")):
        raise Wrong(f"no files of {minor} are kept in tests/compatibility")


def addresses(root=ROOT):
    """Who has the wheel alone finds where to read on and where to report."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    named = set(project["project"].get("urls", {}))
    missing = sorted({"Documentation", "Issues", "Source"} - named)
    if missing:
        raise Wrong(f"[project.urls] of pyproject.toml lacks {missing}")
    cited = (root / "CITATION.cff").read_text("utf-8")
    if not _field(cited, "repository-code"):
        raise Wrong("CITATION.cff lacks repository-code")


def _field(text, name):
    found = re.search(rf"^{name}: *[\"']?([^\"'\s]+)", text, re.MULTILINE)
    return found and found[1]


def _bibtex(text, name):
    found = re.search(rf"^ *{name} *= *{{([^}}]+)}}", text, re.MULTILINE)
    return found and found[1]


def lint(root=ROOT):
    """The linter, the formatter and the type checker have nothing to say."""
    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        _run(root, "-m", *words)
    _run(root, "-m", "mypy")


def dist(root=ROOT):
    """Two builds have the same bytes, and are small."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (build(pathlib.Path(folder, n), root) for n in "ab")
        for one, other in zip(first, second, strict=True):
            if one.read_bytes() != other.read_bytes():
                raise Wrong(f"two builds of {one.name} differ")
            if one.stat().st_size >= MOST_BYTES:
                size = one.stat().st_size / 1e6
                raise Wrong(f"{one.name} has {size:.1f} MB")


def contents(root=ROOT):
    """Sdist and wheel hold what they should and nothing else."""
    _run(root, "-m", "pytest", "-q", "-m", "", "tests/test_packaging.py")


def works(root=ROOT):
    """The installation can build, train, export and answer."""
    _run(root, "-m", "keras_csg_cli", "doctor")


def licences(root=ROOT):
    """The table of licences is that of the environment."""
    page = root / "docs" / "licences.md"
    said = _output(root, sys.executable, "tools/dependency_licences.py")
    if said not in page.read_text("utf-8"):
        raise Wrong("docs/licences.md is old: make licences")


def docs(root=ROOT):
    """The site is built, where there is one to build."""
    targets = (root / "Makefile").read_text("utf-8")
    if not re.search(r"^docs:", targets, re.MULTILINE):
        return "there is no `make docs`"
    _output(root, "make", "docs")
    return None


def tests(root=ROOT):
    """All tests pass, the slow ones too."""
    _run(root, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile",
         "-m", "")  # fmt: skip


CHECKS = (
    tree,
    versions,
    addresses,
    lint,
    dist,
    contents,
    licences,
    works,
    docs,
    tests,
)


def _run(root, *words):
    _output(root, sys.executable, *words)


def _output(root, *words):
    """Runs a program; returns what it says, and raises it if it fails."""
    done = subprocess.run(
        list(map(str, words)),
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-20:])
        raise Wrong(f"{' '.join(map(str, words))} failed:\n{last}")
    return done.stdout


def main(args=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [check.__name__ for check in CHECKS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    chosen = parser.parse_args(args).only
    failed = []
    for check in CHECKS:
        if check.__name__ not in chosen:
            continue
        print(f"{check.__name__}: {check.__doc__}", flush=True)
        started = time.perf_counter()
        try:
            outcome = check() or "ok"
        except Wrong as wrong:
            failed.append(check.__name__)
            outcome = f"FAILED: {wrong}"
        print(
            f"  {outcome} ({time.perf_counter() - started:.0f} s)", flush=True
        )
    left = [name for name in names if name not in chosen]
    if failed:
        print(f"failed: {', '.join(failed)}")
    elif left:
        print(f"these hold; not looked at: {', '.join(left)}")
    else:
        print("ready for a release")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
