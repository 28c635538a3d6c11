"""Trainings that several processes share, on one machine or on many."""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import numpy as np

from keras_csg.data import ClassificationData
from keras_csg.data.splits.share import Share
from keras_csg.engines import engine
from keras_csg.training.options import TrainingOptions

# What may differ between machines, or is compared by what it holds.
OF_EACH_MACHINE = ("data", "data_dir", "labels", "class_weights", "weights")

COPIED = (
    "config.json",
    "images.json.gz",
    "record.json",
    "history.csv",
    "checksums.json",
)
"""Files of a run that its training is gone on with from."""

# Removed when Python ends.
_folders: list[tempfile.TemporaryDirectory] = []


class LostProcessError(RuntimeError):
    """A training ends because others that it shares its steps with are gone."""


def join_processes(
    coordinator: str | None = None,
    processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Makes this process one of several that train together, on JAX.

    Call it in each of them before anything else is computed, and then
    `keras_csg.train` with the same options: each reads its part of every
    batch, and process 0 alone writes the run.

    Args:
        coordinator: str. Address and port of process 0, `"10.0.0.1:9876"`;
            `None` for what JAX finds of Slurm, Open MPI, Kubernetes or
            `JAX_COORDINATOR_ADDRESS`.
        processes: int. How many there are; `None` as above.
        process_id: int. The number of this one, from 0; `None` as above.

    Raises:
        ValueError: if Keras does not run on JAX, or they do not find each
            other within five minutes.

    Reference:
        - [jax.distributed.initialize](
          https://docs.jax.dev/en/latest/_autosummary/jax.distributed.initialize.html)
    """
    engine.join_processes(coordinator, processes, process_id)


def own_share() -> Share | None:
    """Returns what this process reads of each batch; `None` if it is alone."""
    processes = engine.count_processes()
    if processes == 1:
        return None
    return Share(engine.process_index(), processes, engine.count_shares())


def own_directory(out: str | os.PathLike, resume: bool) -> pathlib.Path:
    """Returns where this process writes its run.

    The first writes to `out`. Each of the others has a folder of its own, with
    a copy of what there is to go on with, which goes when the process ends.

    Args:
        out: path of the run.
        resume: bool. Whether to go on with it.
    """
    path = pathlib.Path(out)
    if engine.process_index() == 0:
        return path
    _folders.append(tempfile.TemporaryDirectory(prefix="keras-csg-"))
    own = pathlib.Path(_folders[-1].name) / path.name
    if resume:
        own.mkdir()
        for name in COPIED:
            if (path / name).exists():
                shutil.copyfile(path / name, own / name)
        if (path / "backup").exists():
            shutil.copytree(path / "backup", own / "backup")
    return own


def remove_folders() -> None:
    """Removes what `own_directory` made, as the end of Python would."""
    while _folders:
        _folders.pop().cleanup()


def check_alike(options: TrainingOptions, data: ClassificationData) -> None:
    """Refuses processes that were told or see something else than the first.

    Args:
        options: `TrainingOptions`, filled in.
        data: `ClassificationData`.

    Raises:
        ValueError: naming what differs.
    """
    if engine.count_processes() == 1:
        return
    options_of_run = dataclasses.asdict(options)
    for name in OF_EACH_MACHINE:
        options_of_run.pop(name)
    listing = data.listing
    facts = {
        "options": options_of_run,
        "classes": data.class_names,
        "images": listing and [listing.digest, listing.images],
        "contents of images": listing and listing.contents,
        # Others come in another order.
        "images in memory (`cache`)": data.train.cached,
    }
    hashes = np.stack([_hash(value) for value in facts.values()])
    of_all = engine.values_of_all(hashes)
    for number, other in enumerate(of_all):
        differ = np.any(other != of_all[0], axis=-1)
        if differ.any():
            names = [n for n, odd in zip(facts, differ, strict=True) if odd]
            raise ValueError(
                "All processes must be given the same. "
                f"Received: other {names[0]} in process {number} than in 0"
            )


@contextlib.contextmanager
def noticing_lost_ones() -> Iterator[None]:
    """Says what it means when a step fails where others take part in it.

    Raises:
        LostProcessError: in the place of JAX's error.
    """
    try:
        yield
    except engine.PEER_ERRORS as error:
        if engine.count_processes() == 1:
            raise
        line = str(error).strip().splitlines()[0]
        raise LostProcessError(
            f"Process {engine.process_index()} of {engine.count_processes()} "
            "cannot go on, most likely because another one or its machine "
            "ended: see what that said last. Go on with `resume` in all of "
            f"them. ({line})"
        ) from error


def _hash(value):
    text = json.dumps(value, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return np.frombuffer(digest, "uint32")
