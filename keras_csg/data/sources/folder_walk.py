"""Finds image files below a folder, and counts what it passes over."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

# What programs leave in folders of images beside hidden files.
LITTER = {
    "#recycle",
    "$recycle.bin",
    "@eadir",
    "__macosx",
    "__pycache__",
    "lost+found",
    "system volume information",
    "thumbs.db",
}
EXAMPLES = 3
"""Names that are told of what was passed over for one reason."""


@functools.cache
def image_extensions() -> frozenset[str]:
    """Returns the suffixes of the files that Pillow opens, in lower case."""
    from PIL import Image

    from keras_csg.data.image_files import known_formats

    known = known_formats()
    return frozenset(
        suffix
        for suffix, kind in Image.registered_extensions().items()
        if kind in known
    )


class PassedOver:
    """Files and folders that are not read: how many, why, and the first names.

    Attributes:
        counts: dict from a reason to a number.
        examples: dict from a reason to the first paths, a list of str.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}

    def add(self, path: str | os.PathLike, reason: str, count: int = 1) -> None:
        """Counts one more, or a folder with `count` files."""
        self.counts[reason] = self.counts.get(reason, 0) + count
        names = self.examples.setdefault(reason, [])
        if len(names) < EXAMPLES:
            names.append(os.fspath(path))

    def lines(self, folder: Path) -> list[str]:
        """Returns a line for each reason, with paths from `folder`."""
        return [
            f"{count:,} {reason}: {self._shown(reason, folder)}"
            for reason, count in self.counts.items()
        ]

    def to_dict(self, folder: Path) -> dict[str, dict]:
        """Returns it as JSON can hold it, with paths from `folder`."""
        return {
            reason: {
                "count": count,
                "examples": [
                    _relative(name, folder) for name in self.examples[reason]
                ],
            }
            for reason, count in self.counts.items()
        }

    def _shown(self, reason, folder):
        names = [_relative(name, folder) for name in self.examples[reason]]
        more = self.counts[reason] > len(names)
        return ", ".join(names) + (", ..." if more else "")


class Walker:
    """Walks through folders of images, each file and folder but once.

    A link to what was seen before, by device and inode, leads nowhere: one to
    a folder above would have no end, and an image in two places would be in
    two splits.

    Args:
        passed_over: `PassedOver` to count in.

    Attributes:
        unreadable: why each folder that could not be read could not, by path.
    """

    def __init__(self, passed_over: PassedOver):
        self.passed_over = passed_over
        self._seen: set[tuple[int, int]] = set()
        self.unreadable: dict[str, str] = {}

    def sub_folders(self, folder: Path) -> list[Path]:
        """Returns the folders within one that are no litter, by name."""
        return [
            Path(entry.path)
            for entry in self._entries(folder)
            if not is_litter(entry.name) and _is_folder(entry)
        ]

    def pass_over_loose(self, folder: Path) -> None:
        """Counts what lies beside class folders and belongs to none."""
        for entry in self._entries(folder):
            if is_litter(entry.name):
                self.passed_over.add(entry.path, "hidden")
            elif _is_image(entry):
                self.passed_over.add(entry.path, "images in no class's folder")

    def images(self, folder: Path) -> list[str]:
        """Returns the paths of the images below a folder, in order."""
        return sorted(self._images(folder)) if self.enter(folder) else []

    def enter(self, folder: Path) -> bool:
        """Notes that a folder is read; says whether it is for the first time.

        What is not there counts as read: there is nothing to read in it.
        """
        try:
            status = folder.stat()
        except OSError:
            return False
        return self._is_new(folder, (status.st_dev, status.st_ino))

    def holds_images(self, folder: Path) -> bool:
        """Whether there are images right in a folder."""
        return any(map(_is_image, self._entries(folder)))

    def names(self, folder: Path) -> list[str]:
        """Returns what the images right in a folder are called."""
        return [e.name for e in self._entries(folder) if _is_image(e)]

    def _images(self, folder: Path) -> Iterator[str]:
        device = folder.stat().st_dev
        for entry in self._entries(folder):
            if is_litter(entry.name):
                self.passed_over.add(entry.path, "hidden")
            elif _is_folder(entry):
                if self.enter(Path(entry.path)):
                    yield from self._images(Path(entry.path))
            elif not _is_file(entry):
                what = "links to nothing"
                if not entry.is_symlink():
                    what = "pipes or devices"
                self.passed_over.add(entry.path, what)
            elif not _is_image(entry):
                self.passed_over.add(entry.path, _why_no_image(entry.name))
            # The entry itself knows the inode: a million need not be asked.
            elif self._is_new(entry.path, _identity(entry, device)):
                yield entry.path

    def _is_new(self, path, identity):
        if identity in self._seen:
            self.passed_over.add(path, "links to what is read elsewhere")
            return False
        self._seen.add(identity)
        return True

    def _entries(self, folder):
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if str(folder) not in self.unreadable:
                reason = (error.strerror or "cannot be read").lower()
                self.unreadable[str(folder)] = reason
                self.passed_over.add(folder, f"unreadable folders ({reason})")
            return []


def _identity(entry, device):
    if entry.is_symlink():
        status = entry.stat()
        return status.st_dev, status.st_ino
    return device, entry.inode()


def _is_image(entry):
    suffix = Path(entry.name).suffix.lower()
    return suffix in image_extensions() and not is_litter(entry.name)


def _why_no_image(name):
    if name.lower().endswith((".heic", ".heif")):
        return "HEIC images, which need `pip install 'keras-csg[heic]'`"
    return "no images by their suffix"


def is_litter(name: str) -> bool:
    """Whether a file or a folder is hidden, or what programs leave behind."""
    return name.startswith(".") or name.lower() in LITTER


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # A link in a circle.
        return False


def _is_file(entry):
    try:
        return entry.is_file()
    except OSError:
        return False


def _relative(path, folder):
    try:
        return Path(path).relative_to(folder).as_posix()
    except ValueError:
        return path
