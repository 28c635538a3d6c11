"""Finds a TensorFlow Datasets builder, and prepares it where that can work."""

import contextlib
import os
import re
import socket
import urllib.parse
import urllib.request
from collections.abc import Callable

import tensorflow_datasets as tfds

from keras_csg.files import at_home


def base_name(name: str) -> str:
    """Returns `mnist` for `mnist/config:1.0.0`."""
    return re.split("[/:]", name)[0]


def is_known(name: str) -> bool:
    """Whether TensorFlow Datasets has a builder of that name."""
    known = tfds.list_builders(with_community_datasets=False)
    return base_name(name) in known


def is_prepared(name: str, data_dir: str | None) -> bool:
    """Whether the folder of prepared sets has one of that name."""
    base = base_name(name)
    # Not "" or ".", what is left of a path.
    return base.isidentifier() and (_folder(data_dir) / base).is_dir()


def prepared_builder(
    name: str,
    data_dir: str | os.PathLike | None,
    log: Callable[[str], None],
) -> tfds.core.DatasetBuilder:
    """Returns the builder of a data set that is ready to be read.

    Args:
        name: str. `name`, `name/config` or `name/config:version`.
        data_dir: path or `None`. Folder of prepared sets. `None` takes the
            environment variable `TFDS_DATA_DIR`, else `~/tensorflow_datasets`.
        log: Callable that takes a line of progress.

    Raises:
        ValueError: if the set cannot be opened, or neither is prepared nor
            can be.
    """
    folder = _folder(data_dir)
    try:
        builder = tfds.builder(name, data_dir=folder)
    except Exception as error:  # A config, a version, a missing package.
        raise ValueError(
            "The data must be a data set that TensorFlow Datasets can open: "
            f"{_one_line(error)} Received: {name!r}"
        ) from error
    # `is_prepared` warns about a folder that is not there.
    if not (builder.data_path.exists() and builder.is_prepared()):
        _prepare(builder, name, folder, log)
    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        raise ValueError(
            "Sets are read from TFRecord files, and TensorFlow Datasets reads "
            "ArrayRecord ones in another way alone: prepare it with "
            "`--file_format=tfrecord`, or convert it with `tfds "
            f"convert_format`. Received: {name!r} in {builder.data_path}"
        )
    return builder


def _folder(data_dir):
    # TFDS reads the variable only once, when it is imported.
    data_dir = data_dir or os.environ.get("TFDS_DATA_DIR")
    return at_home(data_dir or "~/tensorflow_datasets")


def _prepare(builder, name, data_dir, log):
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        raise ValueError(_not_prepared(name, data_dir, "needs manual download"))
    host, port = _download_host(builder)
    if not _can_reach(host, port):
        raise ValueError(_not_prepared(name, data_dir, f"no way to {host}"))
    log(f"Downloading {name} into {data_dir} with TensorFlow Datasets.")
    try:
        builder.download_and_prepare()
    except Exception as error:
        _remove_empty(data_dir / base_name(name))
        reason = _one_line(error)
        raise ValueError(_not_prepared(name, data_dir, reason)) from error


def _not_prepared(name, data_dir, reason):
    return (
        f"The data must be a data set that is prepared in {data_dir} or can be "
        f"downloaded ({reason}). Prepare it with "
        f"`tfds build {name} --data_dir {data_dir}` or, from Python, "
        f"`tfds.load({name!r}, data_dir={str(data_dir)!r})`; "
        f"`digits` (`--data digits`) needs nothing. Received: {name!r}"
    )


def _download_host(builder):
    """Returns host and port of the first file the builder would fetch."""
    url = next(iter(builder.url_infos), "https://storage.googleapis.com")
    parts = urllib.parse.urlsplit(url)
    # What cannot be fetched directly may come through the user's proxy.
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname):
        parts = urllib.parse.urlsplit(proxy)
    default_port = {"http": 80, "ftp": 21}.get(parts.scheme, 443)
    return parts.hostname, parts.port or default_port


def _can_reach(host, port):
    """Tries the network first: offline, TFDS retries for minutes."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def _remove_empty(folder):
    """Removes the empty folders that a failed preparation leaves."""
    folders = [path for path in folder.rglob("*") if path.is_dir()]
    for path in [*sorted(folders, reverse=True), folder]:
        with contextlib.suppress(OSError):  # Not empty, or not there.
            path.rmdir()


def _one_line(error):
    return str(error).strip().split("\n")[0][:200]
