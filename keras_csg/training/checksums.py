"""What each file of a run has to be, so that damage is told as it is read."""

import contextlib
import hashlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from keras_csg.files import json_text, whole_file, write_json
from keras_csg.untrusted.json_text import read_json

try:
    import fcntl
except ImportError:  # Windows: two writers at once are not kept apart there.
    fcntl = None  # type: ignore[assignment]

NAME = "checksums.json"
ATTEMPTS = 3
"""How often a file is read that another process may be replacing."""


class Checksums:
    """The list of a run's files: the SHA-256 and the size of each.

    Before a file is replaced the list takes the new digest beside the old
    one, which goes afterwards: whenever a process is killed, the file that is
    there is one of the list. A file that the list does not have, as in a run
    of before, is taken as it is.

    Args:
        folder: `pathlib.Path` of the run.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.path = folder / NAME

    @contextlib.contextmanager
    def writing(self, path: pathlib.Path) -> Iterator[pathlib.Path]:
        """Gives a path to write to that becomes `path`, with its checksum.

        Args:
            path: of a file in the run's folder; see `whole_file`.
        """
        digests: list[dict[str, Any]] = []

        def announce(part):
            digests.append(_digest(part.read_bytes()))
            self._change(path.name, lambda known: [*known, *digests])

        with whole_file(path, before=announce) as part:
            yield part
        # Both are right until the next one comes: nothing hangs on this.
        with contextlib.suppress(OSError):
            self._change(path.name, lambda known: digests)

    def write_json(self, path: pathlib.Path, value: Any) -> None:
        """Writes `value` as JSON, with its checksum."""
        with self.writing(path) as part:
            part.write_text(json_text(value))

    def rename(self, old: pathlib.Path, new: pathlib.Path) -> None:
        """Gives a file of the run another name."""
        known = self._known().get(old.name)
        if known is not None:
            self._change(new.name, lambda others: [*others, *known])
        old.replace(new)
        if known is not None:
            self._change(new.name, lambda others: known)

    def read(self, path: pathlib.Path) -> bytes:
        """Returns what a file holds, if it is what was written.

        Raises:
            ValueError: if it is not, naming it and the way out.
            OSError: if it cannot be read.
        """
        reason = ""
        for _ in range(ATTEMPTS):
            content = path.read_bytes()
            reason = self._difference(path, content)
            if not reason:
                return content
        raise ValueError(
            f"{path} is damaged: {reason}. Take it from a copy of the run, or, "
            f"if it was changed on purpose, remove {self.path}."
        )

    def check_list(self) -> None:
        """Refuses a list that is damaged, by which nothing can be written.

        Raises:
            ValueError: naming it and the way out.
        """
        self._known()

    def check(self, path: pathlib.Path) -> None:
        """Refuses a file that is not what was written; see `read`."""
        if path.parent == self.folder and path.name in self._known():
            self.read(path)

    def _difference(self, path, content):
        """Says how a file differs from what the list has; "" if not."""
        if path.parent != self.folder:
            return ""
        wanted = self._known().get(path.name)
        if wanted is None or _digest(content) in wanted:
            return ""
        sizes = {digest["bytes"] for digest in wanted}
        if len(content) not in sizes:
            written = " or ".join(f"{size:,}" for size in sorted(sizes))
            return f"it has {len(content):,} bytes, and {written} were written"
        return "its checksum is not that of what was written"

    def _known(self):
        """Returns the list, a dict from a name to the digests it may have."""
        try:
            values = read_json(self.path)
            return {
                str(name): [
                    {"sha256": str(d["sha256"]), "bytes": int(d["bytes"])}
                    for d in digests
                ]
                for name, digests in values.items()
            }
        except FileNotFoundError:
            return {}
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:
            raise ValueError(
                f"{self.path} is damaged. Remove it, and the files of the run "
                "are read unchecked until they are written again."
            ) from error

    def _change(self, name, change):
        with _alone(self.folder):
            known = self._known()
            write_json(self.path, {**known, name: change(known.get(name, []))})


def _digest(content):
    digest = hashlib.sha256(content).hexdigest()
    return {"sha256": digest, "bytes": len(content)}


@contextlib.contextmanager
def _alone(folder):
    """Keeps other writers of the list out, without a file of its own."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # Not every file system can.
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
