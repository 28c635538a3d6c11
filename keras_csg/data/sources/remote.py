"""Folders of images at an address, such as `s3://bucket/photos`."""

import hashlib
import os
import shutil
from pathlib import Path, PurePosixPath

from keras_csg.data.image_files import in_threads
from keras_csg.data.sources.base import ClassificationData
from keras_csg.data.sources.folder import FolderSource
from keras_csg.data.sources.registry import register_source
from keras_csg.files import at_home, whole_file

MARK = "://"
FOLDER = "keras-csg"
"""How the folder of an address's copies begins."""


@register_source()
class RemoteSource(FolderSource):
    """A folder of images that lies elsewhere: it is copied, and then a folder.

    By `fsspec` and the package it needs for the kind of address. An image is
    copied once, and again when its size has changed there; what is gone there
    is not used. Each address has a folder of its own for the copies, below
    `data_dir` or the user's folder of caches.
    """

    @classmethod
    def means(cls, name: str, data_dir: str | None) -> bool:
        """Whether it is an address."""
        return MARK in name

    @classmethod
    def moved_name(cls, name: str, data_dir: str | os.PathLike) -> str:
        """Returns the address: `data_dir` says where the copies are."""
        return name

    def lasting_name(self) -> str:
        """Returns the address."""
        return self.request.name

    @property
    def folder(self) -> Path:
        """Where the copies are."""
        name = self.request.name
        own = f"{FOLDER}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return at_home(self.request.data_dir or caches) / own

    def load(self) -> ClassificationData:
        """Copies what is new, and loads the three splits.

        Raises:
            ValueError: if the address cannot be read, and as a folder.
        """
        self._copy()
        return super().load()

    def _copy(self):
        name, log = self.request.name, self.request.log
        system, root = _open(name)
        try:
            found = system.find(root, detail=True)
        except Exception as error:  # Of the network, of rights.
            raise _unreadable(name, error) from error
        if root in found:
            raise ValueError(f"{name} is a file: name the folder of images.")
        if not root.strip("/"):
            raise ValueError(f"{name} names no folder.")
        sizes = {
            str(PurePosixPath(path).relative_to(PurePosixPath(root))): entry
            for path, entry in found.items()
        }
        if not sizes:
            raise ValueError(f"There are no files at {name}.")
        new = [path for path in sizes if self._is_new(path, sizes[path])]
        log(
            f"{name}: {len(sizes):,} files, {len(new):,} of them to copy to "
            f"{self.folder}."
        )
        try:
            in_threads(
                lambda path: self._fetch(system, root, path),
                new,
                lambda done: log(f"{done:,} of {len(new):,} files copied"),
            )
        except Exception as error:
            raise _unreadable(name, error) from error
        self._forget(sizes)

    def _is_new(self, path, entry):
        own = self.folder / path
        return not own.is_file() or own.stat().st_size != entry["size"]

    def _fetch(self, system, root, path):
        own = self.folder / path
        own.parent.mkdir(parents=True, exist_ok=True)
        with (
            whole_file(own) as part,
            system.open(f"{root.rstrip('/')}/{path}", "rb") as source,
            part.open("wb") as target,
        ):
            shutil.copyfileobj(source, target, 2**20)

    def _forget(self, sizes):
        """Removes copies of what is gone; the folder is this address's own."""
        for own in self.folder.rglob("*"):
            path = own.relative_to(self.folder).as_posix()
            if own.is_file() and path not in sizes:
                own.unlink()
        for folder in sorted(self.folder.rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _open(name):
    """Returns the file system of an address, and the path in it."""
    try:
        import fsspec
    except ImportError:
        raise ValueError(
            "Addresses need the package `fsspec`: `pip install "
            f"'keras-csg[remote]'`. Received: {name!r}"
        ) from None
    try:
        return fsspec.core.url_to_fs(name)
    except Exception as error:  # Unknown kinds, and packages they need.
        raise _unreadable(name, error) from error


def _unreadable(name, error):
    line = str(error).strip().split("\n")[0][:200] or type(error).__name__
    return ValueError(f"Cannot read {name}: {line}")
