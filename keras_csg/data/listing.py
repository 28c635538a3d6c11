"""Which images a training has seen, so that later ones can tell."""

import dataclasses
import gzip
import json
import pathlib
import zlib
from collections.abc import Mapping, Sequence

from keras_csg.choices import SPLITS as SPLITS
from keras_csg.files import check_regular, whole_file
from keras_csg.untrusted.fields import (
    check_fields,
    list_of,
    optional,
    required,
    table_of,
    text,
    whole,
)
from keras_csg.untrusted.json_text import parse_json
from keras_csg.untrusted.limits import ALWAYS, most_bytes, shown_bytes

MOST_TIMES = 100
"""How many times its size a list may unpack to: paths are much alike."""
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
        contents: dict from the path of each image that can be read to a hash
            of it (`content_of`).
        classes: dict from the path of each image to its class, where a table
            says it.
        rows: dict from the path of each image to its split and its group, where
            a table says them.
        class_names: list of str, in the order of their numbers.
        seen: list of the hashes of images that were trained or validated on
            and are no longer there.
    """

    digest: str = ""
    images: Mapping[str, Mapping[str, int]] = dataclasses.field(
        default_factory=dict
    )
    contents: Mapping[str, str] = dataclasses.field(default_factory=dict)
    classes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    rows: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    class_names: Sequence[str] = ()
    seen: Sequence[str] = ()

    def split_of(self) -> dict[str, str]:
        """Returns the name of each image's split by its path."""
        return {
            path: split
            for split, files in self.images.items()
            for path in files
        }

    def split_of_content(self) -> dict[str, str]:
        """Returns the split that each content was in, by its hash.

        Of several, that which most hangs on it: training, then validation.
        """
        found = {}
        for split in reversed(SPLITS):
            for path in self.images.get(split, {}):
                if path in self.contents:
                    found[self.contents[path]] = split
        return found | dict.fromkeys(self.seen, "train")

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
            values = parse_json(_unpacked(path), limited=False)
            found = check_fields(_Read, values, "it")
            return cls(**found)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise ValueError(
                f"{path} is damaged: {str(error) or 'it ends early'}."
            ) from error


def _unpacked(path):
    """Returns the bytes that are packed, no more than a list of files has."""
    check_regular(path)
    most = min(most_bytes(), max(ALWAYS, MOST_TIMES * path.stat().st_size))
    with gzip.open(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it unpacks to more than {shown_bytes(most)}")
    return content


@dataclasses.dataclass(frozen=True)
class _Read:
    """What of a `Listing` stands in a file; of before some had less."""

    digest: str = required(text)
    images: dict = required(table_of(table_of(whole())))
    contents: dict = optional(table_of(text), factory=dict)
    classes: dict = optional(table_of(text), factory=dict)
    rows: dict = optional(table_of(list_of(text)), factory=dict)
    class_names: list = optional(list_of(text), factory=list)
    seen: list = optional(list_of(text), factory=list)


def changes_since(
    known: Listing,
    now: Mapping[str, int],
    contents: Mapping[str, str],
    classes: Mapping[str, str],
    rows: Mapping[str, Sequence[str]],
) -> str:
    """Says what has changed in a folder of images, `""` for nothing.

    Args:
        known: `Listing` of before.
        now: dict from the path of each image to its size.
        contents: dict from the path of each that can be read to its hash.
        classes: dict from the path of each image to its class, as `known` has.
        rows: the same to its split and its group.
    """
    before = known.sizes()
    both = before.keys() & now.keys()
    counts = {
        "missing": len(before.keys() - now.keys()),
        "added": len(now.keys() - before.keys()),
        "changed": sum(
            now[path] != before[path]
            or contents.get(path)
            != known.contents.get(path, contents.get(path))
            for path in both
        ),
        "of another class": sum(
            classes.get(path) != known.classes[path]
            for path in both & known.classes.keys()
        ),
        **{
            f"of another {column}": sum(
                path in rows and rows[path][n] != known.rows[path][n]
                for path in both & known.rows.keys()
            )
            for n, column in enumerate(("split", "group"))
        },
    }
    return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
