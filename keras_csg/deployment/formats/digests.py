"""Whether an exported file is the one that was written: digests of its bytes.

They tell damage, as a bit that a disk or a network turned. Whoever changes a
file on purpose can write another digest.
"""

import hashlib
import pathlib
from collections.abc import Callable, Iterable

from keras_csg.deployment.metadata import Metadata

CHUNK = 2**20


def digest_of_parts(parts: Iterable[bytes | memoryview]) -> str:
    """Returns the SHA-256 of bytes that follow each other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def digest_of_files(folder: pathlib.Path, patterns: Iterable[str]) -> str:
    """Returns the SHA-256 of files in a folder, their names and sizes too.

    Args:
        folder: path.
        patterns: of the files, in the order they are read in.
    """
    return digest_of_parts(_parts(folder, patterns))


def size_of(folder: pathlib.Path, patterns: Iterable[str]) -> int:
    """Returns the bytes of files in a folder."""
    files = (path for pattern in patterns for path in folder.glob(pattern))
    return sum(path.stat().st_size for path in files)


def check_digest(
    metadata: Metadata, path: pathlib.Path, found: Callable[[], str]
) -> None:
    """Refuses a file whose graph or weights are not those that were written.

    One of before there were digests has none, and is taken as it is.

    Args:
        metadata: the file's `Metadata`.
        path: what to call it.
        found: callable that returns the digest of what is there.

    Raises:
        ValueError: if they differ.
    """
    written = (metadata.digest or {}).get("model")
    if written is not None and found() != written:
        raise ValueError(
            f"{path} is damaged: its graph or its weights are not those that "
            "were exported. Copy it again, or export it again."
        )


def _parts(folder, patterns):
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            name = path.relative_to(folder).as_posix()
            yield f"{name} {path.stat().st_size}\n".encode()
            with path.open("rb") as stream:
                while chunk := stream.read(CHUNK):
                    yield chunk
