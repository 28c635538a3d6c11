"""What is installed is what is in the tree."""

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from importlib import metadata

import pytest

from tests.source_tree import PACKAGES, ROOT, modules

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DATA = {".json", ".pyi", ".typed", ".toml", ".keras", ".jinja"}
BESIDE_THE_CODE = {
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "MANIFEST.in",
    "NOTICE.md",
    "PACKAGE.md",
    "README.md",
    "pyproject.toml",
}
MOST_BYTES = 6e6
PAGE = {".html", ".css", ".js", ".svg", ".txt"}


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
        if path.suffix in DATA | PAGE | {".py"}
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


def build(folder, **environment):
    """Builds sdist and wheel into a folder; returns the paths of both."""
    if int(metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("building needs `pip install 'setuptools>=77'`")
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("git says which files are the project's")
    subprocess.run(
        [sys.executable, ROOT / "tools" / "build_dist.py", folder],
        check=True,
        capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1795800000", **environment},
    )
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def build_wheel(folder):
    """Builds the tree's wheel into a folder; returns its path."""
    return build(folder)[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


def held_by(path):
    """Returns the names of the files in an archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist())
    with tarfile.open(path) as archive:
        return {member.name for member in archive if member.isfile()}


def test_a_wheel_holds_what_it_should_and_nothing_else(built):
    held = held_by(built[1])
    expected = files_to_ship()
    assert {
        "keras_csg/backbones/catalog.json",
        "keras_csg/backbones/weights/shipped/cifar10.keras",
        "keras_csg/training/recipes/paper.toml",
        "keras_csg/py.typed",
    } <= expected
    about = f"keras_csg-{PROJECT['project']['version']}.dist-info"
    names = ["METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt"]
    names += ["licenses/LICENSE", "licenses/NOTICE.md"]
    assert held == expected | {f"{about}/{name}" for name in names}


def test_an_sdist_holds_what_it_is_built_from_and_nothing_else(built):
    sdist = built[0]
    folder = sdist.name.removesuffix(".tar.gz")
    held = {name.removeprefix(f"{folder}/") for name in held_by(sdist)}
    generated = {"PKG-INFO", "setup.cfg"}
    held = {n for n in held if not n.startswith("keras_csg.egg-info/")}
    code = {re.sub("^keras_csg_cli/", "cli/", name) for name in files_to_ship()}
    assert held == code | generated | BESIDE_THE_CODE


def test_what_an_index_shows_leads_nowhere_but_out(built):
    with zipfile.ZipFile(built[1]) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("/METADATA"))
        about = email.message_from_bytes(archive.read(name))
    text = about.get_payload()
    assert about["Description-Content-Type"].startswith("text/markdown")
    assert "pip install keras-csg" in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links and all(link.startswith("https://") for link in links)


def test_both_are_small(built):
    assert all(path.stat().st_size < MOST_BYTES for path in built)


@pytest.mark.slow
def test_built_twice_both_have_the_same_bytes(built, tmp_path):
    # Nothing of the machine's clock or of its user's habits is in them.
    again = build(tmp_path, TZ="Asia/Tokyo", LANG="C", PYTHONHASHSEED="7")
    for first, second in zip(built, again, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
def test_a_file_in_a_wheel_has_the_time_that_was_asked_for(built):
    with zipfile.ZipFile(built[1]) as archive:
        times = {file.date_time for file in archive.infolist()}
    assert times == {time.gmtime(1795800000)[:6]}
    with tarfile.open(built[0]) as archive:
        found = {(m.mtime, m.uid, m.gid, m.uname) for m in archive}
    assert found == {(1795800000, 0, 0, "")}
