"""Builds the sdist, and from it the wheel, with the same bytes every time.

    python tools/build_dist.py dist

Setuptools keeps the time, the owner and the mode of each file in an sdist, and
modes in a wheel. So the tree's files are copied, and get one time, that of the
last commit or `SOURCE_DATE_EPOCH`, and one mode; the sdist is packed again
without its owner. What git ignores takes no part. Needs setuptools alone, and
no network.
"""

import argparse
import gzip
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib import metadata

ROOT = pathlib.Path(__file__).parent.parent
EPOCH = "SOURCE_DATE_EPOCH"
SETUPTOOLS = 77  # As pyproject.toml has it.
FILE, FOLDER = 0o644, 0o755
BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""


def build(out, tree=ROOT):
    """Builds both from what git knows, or would take, of a tree.

    Args:
        out: path of the folder that they go to.
        tree: path of the repository.

    Returns:
        Paths of the sdist and of the wheel.
    """
    if int(metadata.version("setuptools").split(".")[0]) < SETUPTOOLS:
        raise SystemExit(
            f"Building needs a newer setuptools: pip install "
            f"'setuptools>={SETUPTOOLS}'"
        )
    out = pathlib.Path(out).absolute()
    out.mkdir(parents=True, exist_ok=True)
    epoch = int(os.environ.get(EPOCH) or _time_of_last_commit(tree))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        _copy(tree, folder / "tree")
        built = _run(folder / "tree", "build_sdist", folder, epoch)
        sdist = out / built.name
        _pack_again(built, sdist, epoch)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        (unpacked,) = (folder / "unpacked").iterdir()
        _set_modes(unpacked)
        wheel = _run(unpacked, "build_wheel", out, epoch)
    return sdist, wheel


def _time_of_last_commit(tree):
    asked = ["git", "-C", tree, "log", "-1", "--format=%ct"]
    return subprocess.check_output(asked, text=True).strip()


def _copy(tree, to):
    listed = subprocess.check_output(
        ["git", "-C", tree, "ls-files", "-coz", "--exclude-standard"]
    )
    for name in filter(None, os.fsdecode(listed).split("\0")):
        if (tree / name).is_file():  # It may be deleted and not yet staged.
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tree / name, to / name)
    _set_modes(to)


def _set_modes(folder):
    for path in (folder, *folder.rglob("*")):
        path.chmod(FOLDER if path.is_dir() else FILE)


def _run(tree, step, out, epoch):
    """Builds as pip does, in a process of its own; returns the file's path."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, step, out],
        cwd=tree,
        env={**os.environ, EPOCH: str(epoch)},
        umask=0o022,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{step} failed:\n{done.stderr}")
    return pathlib.Path(out, done.stdout.splitlines()[-1])


def _pack_again(built, to, epoch):
    """Writes an archive's files in their order, of one time and no owner."""
    with tarfile.open(built) as old, io.BytesIO() as packed:
        with tarfile.open(
            fileobj=packed, mode="w", format=tarfile.PAX_FORMAT
        ) as new:
            for member in sorted(old.getmembers(), key=lambda m: m.name):
                member.mtime, member.pax_headers = epoch, {}
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.mode = FOLDER if member.isdir() else FILE
                new.addfile(member, old.extractfile(member))
        data = gzip.compress(packed.getvalue(), mtime=epoch)
    to.write_bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", default=ROOT / "dist")
    for path in build(parser.parse_args().out):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
