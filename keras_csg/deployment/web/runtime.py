"""Where ONNX Runtime for browsers comes from: a package of npm, pinned."""

import base64
import hashlib
import io
import os
import pathlib
import tarfile
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from keras_csg.files import at_home, whole_file

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
INTEGRITY = (
    "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02V"
    "b7QmRMDs1SigqR4CXAfKYQ=="
)
"""Of the package's file, as npm tells it."""
SCRIPT = "ort.wasm.bundle.min.mjs"
MODULE = "ort-wasm-simd-threaded.wasm"
FILES = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    MODULE: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""What is needed of the package's `dist`, with the SHA-256 of each: the
smallest of its builds that runs every network on a processor."""
REGISTRY = "https://registry.npmjs.org"
VARIABLE = "npm_config_registry"
"""Of the environment: where npm itself looks."""
MOST_BYTES = 2**27
TIMEOUT = 60
WAY_OUT = (
    "Say where it is with `ort_web`: the file that `npm pack "
    f"{PACKAGE}@{VERSION}` writes on another machine, or the folder `dist` in "
    "it."
)


def find_runtime(
    source: str | os.PathLike | None = None,
    log: Callable[[str], Any] = lambda text: None,
) -> dict[str, bytes]:
    """Returns the files of ONNX Runtime that a browser needs.

    What was downloaded once is kept, in the folder `keras-csg` of the user's
    caches, and is not asked for again. Every file is checked against the
    digest that stands in this module, wherever it came from.

    Args:
        source: path of the package as npm packs it, a `.tgz`, or of its
            unpacked folder, or the `dist` in it. `None` for the registry of
            npm, or that which `npm_config_registry` names.
        log: callable that takes a line of progress.

    Returns:
        dict from the names in `FILES` to the bytes.

    Raises:
        ValueError: if it is not there, is something else, or cannot be
            fetched.
    """
    if source is not None:
        return _read(pathlib.Path(source))
    folder = _cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        from filelock import FileLock  # A page is opened without it.

        with FileLock(folder / ".lock"):
            return _kept(folder) or _fetch_into(folder, log)
    except OSError as error:
        raise ValueError(
            f"Cannot keep {PACKAGE} in {folder}: {error.strerror or error}. "
            f"{WAY_OUT}"
        ) from error


def _cache():
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = at_home(caches) / "keras-csg"
    return folder / f"{PACKAGE}-{VERSION}"


def _kept(folder):
    """Returns the files that were kept, or `None` if one is not as it was."""
    paths = {name: folder / name for name in FILES}
    if not all(path.is_file() for path in paths.values()):
        return None
    found = {name: path.read_bytes() for name, path in paths.items()}
    return None if _strange(found) else found


def _fetch_into(folder, log):
    url = _address()
    parts = urlsplit(url)
    # Without what may stand before the host: a name and a password.
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    log(f"Fetching {PACKAGE} {VERSION} from {shown}, once")
    package = _fetch(url, shown)
    files = _unpack(package, shown)
    for name, data in files.items():
        with whole_file(folder / name) as part:
            part.write_bytes(data)
    log(f"Kept {PACKAGE} {VERSION} in {folder}")
    return files


def _address():
    registry = os.environ.get(VARIABLE) or REGISTRY
    if urlsplit(registry).scheme not in ("http", "https"):
        raise ValueError(
            f"{VARIABLE} must be an address of the kind https://HOST. "
            f"Received: {VARIABLE}={registry!r}"
        )
    return f"{registry.rstrip('/')}/{PACKAGE}/-/{PACKAGE}-{VERSION}.tgz"


def _fetch(url, shown):
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return answer.read(MOST_BYTES)
    # URLError and timeouts are; a cut answer, a wrong address are not.
    except Exception as error:
        reason = getattr(error, "reason", None) or error
        text = " ".join(str(reason).split()) or type(error).__name__
        raise ValueError(f"Cannot fetch {shown}: {text}. {WAY_OUT}") from error


def _unpack(package: bytes, whence: Any) -> dict[str, bytes]:
    """Returns the files of a package that is the one that was pinned."""
    digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        raise ValueError(
            f"{whence} is not {PACKAGE} {VERSION}: its integrity is "
            f"sha512-{digest[:12]}..., not {INTEGRITY[:19]}... {WAY_OUT}"
        )
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        streams = {
            name: archive.extractfile(f"package/dist/{name}") for name in FILES
        }
        return {
            name: stream.read() for name, stream in streams.items() if stream
        }


def _read(path):
    """Returns the files out of what the user names."""
    try:
        if path.is_dir():
            return _read_folder(path)
        return _unpack(path.read_bytes(), path)
    except OSError as error:
        raise ValueError(
            f"Cannot read {path}: {error.strerror or error}. `ort_web` is a "
            f"file of {PACKAGE} {VERSION} as `npm pack` writes it, or its "
            "folder `dist`."
        ) from error


def _read_folder(path):
    places = (path, path / "dist", path / "package" / "dist")
    dist = next((p for p in places if (p / SCRIPT).is_file()), None)
    missing = [n for n in FILES if not dist or not (dist / n).is_file()]
    if dist is None or missing:
        raise ValueError(
            f"{path} is not the folder `dist` of {PACKAGE} {VERSION}: it lacks "
            f"{' and '.join(missing)}. {WAY_OUT}"
        )
    found = {name: (dist / name).read_bytes() for name in FILES}
    strange = _strange(found)
    if strange:
        raise ValueError(
            f"{dist / strange[0]} is not that of {PACKAGE} {VERSION}. {WAY_OUT}"
        )
    return found


def _strange(files: Mapping[str, bytes]) -> list[str]:
    """Returns the names of files that are not those that were pinned."""
    return [
        name
        for name, data in files.items()
        if hashlib.sha256(data).hexdigest() != FILES[name]
    ]
