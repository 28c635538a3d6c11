"""Which images a training has seen, so that later ones can tell."""

import dataclasses
import gzip
import json
import pathlib
from collections.abc import Mapping

from keras_csg.files import whole_file

SPLITS = ("train", "validation", "test")
LEFT_OUT = "left out"
"""Stands for a split: broken files, and those that are dropped."""


@dataclasses.dataclass(frozen=True)
class Listing:
    """The images of a data set: where each was, and how many bytes it had.

    Attributes:
        digest: str. Of what the data are known by where they are no files of
            the user's, such as a set of TensorFlow Datasets; else `""`.
        images: dict from `"train"`, `"validation"`, `"test"` and `"left out"`
            to a dict from a file's path within the data to its size in bytes.
        contents: dict from the paths of what was trained and validated on to
            a hash of size and first bytes (`content_of`).
        classes: dict from the path of each image to its class, where a table
            says it.
    """

    digest: str = ""
    images: Mapping[str, Mapping[str, int]] = dataclasses.field(
        default_factory=dict
    )
    contents: Mapping[str, str] = dataclasses.field(default_factory=dict)
    classes: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def split_of(self) -> dict[str, str]:
        """Returns the name of each image's split by its path."""
        return {
            path: split
            for split, files in self.images.items()
            for path in files
        }

    def sizes(self) -> dict[str, int]:
        """Returns the size of each image by its path."""
        return {
            path: size
            for files in self.images.values()
            for path, size in files.items()
        }

    def write(self, path: pathlib.Path) -> None:
        """Writes it as compressed JSON, whole or not at all."""
        text = json.dumps(dataclasses.asdict(self))
        with whole_file(path) as part:
            # The same bytes for the same images, whenever they are written.
            part.write_bytes(gzip.compress(text.encode(), mtime=0))

    @classmethod
    def read(cls, path: pathlib.Path) -> "Listing":
        """Reads what `write` wrote.

        Raises:
            ValueError: if the file is damaged.
        """
        try:
            values = json.loads(gzip.decompress(path.read_bytes()))
            more = (values.get(name, {}) for name in ("contents", "classes"))
            return cls(values["digest"], values["images"], *more)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is damaged: {str(error) or 'it ends early'}."
            ) from error


def changes_since(
    known: Listing, now: Mapping[str, int], classes: Mapping[str, str]
) -> str:
    """Says what has changed in a folder of images, `""` for nothing.

    Args:
        known: `Listing` of before.
        now: dict from the path of each image to its size.
        classes: dict from the path of each image to its class, as `known` has.
    """
    before = known.sizes()
    both = before.keys() & now.keys()
    counts = {
        "missing": len(before.keys() - now.keys()),
        "added": len(now.keys() - before.keys()),
        "of another size": sum(now[path] != before[path] for path in both),
        "of another class": sum(
            classes.get(path) != known.classes[path]
            for path in both & known.classes.keys()
        ),
    }
    return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)


def moved_from_training(
    known: Listing, now: Mapping[str, int], added: Mapping[str, str]
) -> set[str]:
    """Returns added images that were trained on under another path.

    Those of the same content as one of train or validation, wherever that is
    now; by lists without contents, of the same name, class folder and size as
    one that is gone.

    Args:
        known: `Listing` of before.
        now: dict from the path of each image to its size.
        added: dict from the paths of images that are not on the list to what
            `content_of` says of them.
    """
    if known.contents:
        seen = set(known.contents.values())
        return {path for path, content in added.items() if content in seen}
    gone = {
        _identity(path, size)
        for split in ("train", "validation")
        for path, size in known.images.get(split, {}).items()
        if path not in now
    }
    return {path for path in added if _identity(path, now[path]) in gone}


def _identity(path, size):
    return *pathlib.PurePosixPath(path).parts[-2:], size
