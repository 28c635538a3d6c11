"""What is installed is what is in the tree."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata

import pytest

from tests.source_tree import PACKAGES, ROOT, modules

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DATA = {".json", ".pyi", ".typed", ".toml", ".keras", ".jinja"}


def packages():
    return sorted(
        name for name, path in modules().items() if path.stem == "__init__"
    )


def files_to_ship():
    """Returns what a wheel must hold, by its path there."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.suffix in DATA | {".py"}
    }


def test_every_package_of_the_tree_is_installed():
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == packages()


def test_every_folder_with_modules_is_a_package():
    for folder in PACKAGES.values():
        for path in folder.rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path


def test_the_hooks_have_the_versions_of_the_environment():
    text = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    pinned = set(re.findall(r"(?:ruff|mypy)==[\d.]+", text))
    extras = PROJECT["project"]["optional-dependencies"]
    assert pinned == {d for d in extras["dev"] if "==" in d}


def build_wheel(folder):
    """Builds the tree's wheel into a folder; returns its path."""
    if int(metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("building needs `pip install 'setuptools>=77'`")
    tree = folder / "tree"
    # A copy, since building leaves its folders behind.
    for name in ("keras_csg", "cli"):
        shutil.copytree(ROOT / name, tree / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    command = "-m pip wheel --no-deps --no-build-isolation --wheel-dir"
    subprocess.run(
        [sys.executable, *command.split(), folder, tree],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_a_wheel_holds_every_file(tmp_path):
    wheel = build_wheel(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    expected = files_to_ship()
    assert "keras_csg/backbones/catalog.json" in expected
    assert "keras_csg/py.typed" in expected
    assert expected <= held
    others = {name for name in held - expected if ".dist-info/" not in name}
    assert not others
