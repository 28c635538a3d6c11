"""Where what is made of a run is written; plain Python, quick to import."""

import itertools
import os
import pathlib

from keras_csg.choices import HUB_PREFIX, WEIGHTS_PREFIX
from keras_csg.training.options import TrainingOptions

RUNS = pathlib.Path("runs")
DETECTOR = "detector"
"""Folder of a run's detector within it."""


def folder_of(run: str | os.PathLike) -> pathlib.Path:
    """Returns the folder for what commands write of a run.

    Args:
        run: path of a run, which is the folder; or `weights:NAME`, whose files
            lie in the package: it is `runs/weights-NAME`.
    """
    name = os.fspath(run)
    if name.startswith(WEIGHTS_PREFIX):
        return RUNS / f"weights-{name.removeprefix(WEIGHTS_PREFIX)}"
    return pathlib.Path(name)


def detector_of(run: str | os.PathLike) -> pathlib.Path | None:
    """Returns the folder of the detector that was saved with a run, if any.

    Args:
        run: see `folder_of`.
    """
    folder = folder_of(run) / DETECTOR
    return folder if folder.is_dir() else None


def nearest_detector(path: str | os.PathLike) -> pathlib.Path:
    """Returns the folder of a detector that is meant by a path.

    Args:
        path: path of the folder, of a file in it, or of a run that has one;
            also `weights:NAME`.
    """
    inside = detector_of(path)
    if inside is not None:
        return inside
    path = pathlib.Path(path)
    return path.parent if path.is_file() else path


def free_directory(options: TrainingOptions) -> pathlib.Path:
    """Returns a directory for a run that is not there yet, within `runs`."""
    kind = "standard" if options.standard else "gated"
    backbone = options.backbone.removeprefix(HUB_PREFIX).rstrip("/")
    backbone = backbone.rpartition("/")[2]  # A preset may be a path.
    stem = f"{short_name(options.data)}-{backbone}-{kind}"
    paths = (RUNS / f"{stem}-{number}" for number in itertools.count(1))
    return next(path for path in paths if not path.exists())


def short_name(data: str | os.PathLike) -> str:
    """Returns what to call data in the name of a file."""
    return pathlib.Path(data).name.partition(":")[0]
