"""Tests the wheel by itself, on each Python with the oldest and newest parts.

    python tools/test_matrix.py --tests tests/layers tests/models

A cell is a version of Python and a resolution: the lowest versions of the
direct dependencies that pyproject.toml allows, or the newest. It has an
environment of its own with the wheel, not the tree, and what it found is kept,
so that a matrix that was stopped goes on; another wheel begins anew. Needs
`uv`, and the Pythons it finds: it downloads none.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from build_dist import ROOT, build  # noqa: E402

PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
EXTRAS = ("server", "test-core")
# Of which building from source takes long or fails: there the lowest version
# is the lowest that this Python has a wheel of.
BINARY = (
    "h5py",
    "grpcio",
    "matplotlib",
    "numpy",
    "pillow",
    "protobuf",
    "scikit-learn",
    "scipy",
)
SUMMARY = re.compile(r"\d+ (passed|failed|skipped|errors?).* in \d+\.\d+s")
COUNTS = re.compile(r"(\d+) (passed|failed|skipped|errors?)")
SHOWN = ("keras", "tensorflow", "numpy", "onnxruntime")


class Cell:
    """One environment, and what was found in it.

    Args:
        folder: path, where the matrix keeps its things.
        python: str, such as `"3.12"`, or the path of one.
        resolution: a key of `RESOLUTIONS`.
    """

    def __init__(self, folder, python, resolution):
        self.python, self.resolution = python, resolution
        number = re.search(r"\d+\.\d+", python)
        self.name = f"{number[0] if number else 'python'}-{resolution}"
        self.environment = folder / "environments" / self.name
        self.tree = folder / "trees" / self.name
        self.kept = folder / f"{self.name}.json"

    @property
    def interpreter(self):
        return self.environment / "bin" / "python"

    def found(self, asked):
        """Returns what was found for the same wheel and tests, if anything."""
        if self.kept.exists():
            found = json.loads(self.kept.read_text("utf-8"))
            if found["asked"] == asked and found["outcome"] == "passed":
                return found
        return None

    def run(self, wheel, asked):
        started = time.time()
        found = {"asked": asked, "outcome": "no such Python here"}
        if self._has_python():
            found["outcome"] = self._fill(wheel) or self._look(found, asked)
        found["seconds"] = round(time.time() - started)
        self.kept.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
        return found

    def _has_python(self):
        return not _call("uv", "python", "find", self.python)[0]

    def _fill(self, wheel):
        """Makes the environment; returns what went wrong, if anything."""
        binary = [f"--only-binary={name}" for name in BINARY]
        extras = [f"--extra={name}" for name in EXTRAS]
        to = ["--python", self.interpreter]
        steps = (
            ["venv", "--clear", "--python", self.python, self.environment],
            ["pip", "install", *to, *binary, *extras]
            + [f"--resolution={RESOLUTIONS[self.resolution]}"]
            + ["-r", ROOT / "pyproject.toml"],
            ["pip", "install", *to, "--no-deps", wheel],
        )
        for step in steps:
            code, text = _call("uv", *step)
            if code:
                return f"{step[0]} {step[1]}: {text.strip()[-500:]}"
        return None

    def _look(self, found, asked):
        """Asks the wheel and runs the tests; returns the outcome."""
        command = self.environment / "bin" / "keras-csg"
        code, text = _call(command, "doctor", "--json", cwd=self.environment)
        if code:
            return f"doctor: {text.strip()[-500:]}"
        start = text.index("{\n")
        found["versions"] = json.loads(text[start : text.rindex("}") + 1])[
            "versions"
        ]
        if not asked["tests"]:
            return "passed"
        self._lay_tree()
        asking = [*asked["tests"], "-q", "-p", "no:cacheprovider"]
        log = self.kept.with_suffix(".log")  # To be looked at meanwhile.
        code, text = _call(
            self.interpreter, "-m", "pytest", *asking, cwd=self.tree, log=log
        )
        # Libraries log behind it as the process ends.
        lines = [x for x in text.splitlines() if SUMMARY.search(x)]
        last = lines[-1] if lines else "no summary"
        found["tests"] = {kind: int(n) for n, kind in COUNTS.findall(last)}
        return "passed" if code == 0 else f"tests: {last}"

    def _lay_tree(self):
        """Lays the tests beside the installed package, not that of the tree."""
        shutil.rmtree(self.tree, ignore_errors=True)
        listed = subprocess.check_output(
            ["git", "-C", ROOT, "ls-files", "-z"], text=True
        )
        for name in filter(None, listed.split("\0")):
            if not name.startswith(("keras_csg/", "cli/", "keras_csg_cli")):
                to = self.tree / name
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, to)
        code, text = _call(
            self.interpreter,
            "-c",
            "import keras_csg, keras_csg_cli as c;"
            "print(keras_csg.__path__[0]); print(c.__path__[0])",
            cwd=self.environment,
        )
        package, commands = text.splitlines()[-2:]
        (self.tree / "keras_csg").symlink_to(package)
        (self.tree / "cli").symlink_to(commands)
        (self.tree / "keras_csg_cli").symlink_to("cli")


def _call(*command, cwd=ROOT, log=None):
    """Runs a program at a low priority; returns code and output."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    with open(log or os.devnull, "w") as file:
        done = subprocess.run(
            ["nice", "-n", "15", *map(str, command)],
            cwd=cwd,
            env=environment,
            stdout=file if log else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return done.returncode, log.read_text("utf-8") if log else done.stdout


def table(cells):
    """Returns what was found as a table in Markdown."""
    head = ["Python", "dependencies", *SHOWN, "tests", "outcome"]
    rows = [head, ["---"] * len(head)]
    for cell in cells:
        if not cell.kept.exists():
            found = {"outcome": "not run"}
        else:
            found = json.loads(cell.kept.read_text("utf-8"))
        versions = found.get("versions", {})
        counts = found.get("tests", {})
        said = ", ".join(f"{n} {kind}" for kind, n in counts.items()) or "-"
        rows.append(
            [versions.get("python", cell.python), cell.resolution]
            + [versions.get(name, "-") for name in SHOWN]
            + [said, found["outcome"].splitlines()[0]]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=PYTHONS)
    parser.add_argument("--resolution", nargs="+", default=list(RESOLUTIONS))
    parser.add_argument(
        "--tests", nargs="*", default=["tests"], help="none: `doctor` alone"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "build" / "matrix"
    )
    given = parser.parse_args()
    # Beside this interpreter, if its environment is not the shell's.
    beside = str(pathlib.Path(sys.executable).parent)
    os.environ["PATH"] += os.pathsep + beside
    if shutil.which("uv") is None:
        sys.exit("This needs uv: pip install uv")
    given.out = given.out.absolute()
    _, wheel = build(given.out / "dist")
    asked = {
        "wheel": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "tests": given.tests,
    }
    cells = [
        Cell(given.out, python, resolution)
        for python in given.python
        for resolution in given.resolution
    ]
    outcomes = []
    for cell in cells:
        found = cell.found(asked) or cell.run(wheel, asked)
        outcomes.append(found["outcome"])
        print(f"{cell.name}: {found['outcome']}", file=sys.stderr)
    print(table(cells))
    sys.exit(any(outcome != "passed" for outcome in outcomes))


if __name__ == "__main__":
    main()
