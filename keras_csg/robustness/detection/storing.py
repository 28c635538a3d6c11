"""A detector as files: arrays without pickle, and JSON beside them."""

import hashlib
import json
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np

from keras_csg.files import (
    flush_to_disk,
    hidden_part,
    naming,
    recover,
    replace_all,
    sha256_of,
)
from keras_csg.metrics.head import Head
from keras_csg.robustness.detection.curves import check_rank
from keras_csg.untrusted.archives import read_arrays, write_arrays
from keras_csg.untrusted.fields import (
    flag,
    number,
    or_none,
    record,
    text,
    whole,
)
from keras_csg.untrusted.json_text import digest_of_json, read_json
from keras_csg.version import package_version, version

ARRAYS, FACTS = "detector.npz", "detector.json"
FORMAT = 1
HEAD = "head/"
"""What stands before the names of the head's arrays."""
READ = record(
    {
        "format": whole(1),
        "score": text,
        "false_alarm_rate": number(0, 1),
        "seed": whole(),
        "batch_size": whole(1),
        "threshold": number(),
        "head_sha256": text,
        "arrays_sha256": text,
    },
    {
        "gated": flag,
        "calibrated_on": or_none(whole()),
        "facts_sha256": text,
    },
)
"""What each fact of the file may be."""
SEAL = "facts_sha256"
"""Digest of all other facts, which files of before lack."""
PACKAGES = ("keras", "numpy", "scikit-learn")


class Stored(NamedTuple):
    """What is kept of a detector.

    Attributes:
        params: dict. The constructor's arguments.
        threshold: float.
        arrays: dict of arrays: what it has learned.
        head: `Head` of its classifier.
        calibrated_on: int. Clean images behind the threshold; `None` where
            nobody wrote it down.
    """

    params: dict[str, Any]
    threshold: float
    arrays: dict[str, np.ndarray]
    head: Head
    calibrated_on: int | None = None


def write_detector(folder: str | os.PathLike, stored: Stored) -> None:
    """Writes a detector into a folder of its own, whole or not at all.

    Args:
        folder: path.
        stored: `Stored`.

    Raises:
        ValueError: if something else than a detector lies there.
        OSError: if it cannot be written.
    """
    folder = pathlib.Path(folder)
    recover(folder)
    _check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with naming(folder), hidden_part(folder) as part:
        part.mkdir()
        arrays = {**stored.arrays, **_head_arrays(stored.head)}
        write_arrays(part / ARRAYS, arrays)
        facts = {
            "format": FORMAT,
            **stored.params,
            "threshold": stored.threshold,
            "calibrated_on": stored.calibrated_on,
            "gated": stored.head.gate_matrix is not None,
            "head_sha256": fingerprint(stored.head),
            "arrays_sha256": sha256_of(part / ARRAYS),
            "versions": {
                "keras-csg": version(),
                **{name: package_version(name) for name in PACKAGES},
            },
        }
        facts[SEAL] = _seal_of(facts)
        text = json.dumps(facts, indent=2, allow_nan=False)
        (part / FACTS).write_text(text + "\n")
        flush_to_disk(part)
        replace_all({part: folder})


def read_detector(folder: str | os.PathLike, head: Head | None) -> Stored:
    """Reads a detector.

    Args:
        folder: path.
        head: `Head` of the classifier that it is to be used with; `None` not
            to compare.

    Raises:
        ValueError: if there is none, it is damaged or of a later version, or
            was fitted on another classifier.
    """
    folder = pathlib.Path(folder)
    recover(folder)
    facts = _read_facts(folder)
    if head is not None and facts["head_sha256"] != fingerprint(head):
        raise ValueError(
            f"The detector in {folder} was fitted on another network, or on "
            "this one before it was changed: fit it again."
        )
    path = folder / ARRAYS
    if not path.exists():
        raise ValueError(f"{path} is missing. Fit it again.")
    try:
        if sha256_of(path) != facts["arrays_sha256"]:
            raise ValueError("it is not the file that was written")
        arrays = read_arrays(path)
        kept = {
            name.removeprefix(HEAD): arrays.pop(name)
            for name in [*arrays]
            if name.startswith(HEAD)
        }
        stored_head = Head(**kept)
        if SEAL not in facts:
            check_rank(
                arrays["rank"], facts["threshold"], facts["false_alarm_rate"]
            )
        params = ("score", "false_alarm_rate", "seed", "batch_size")
        return Stored(
            {name: facts[name] for name in params},
            float(facts["threshold"]),
            arrays,
            stored_head,
            facts.get("calibrated_on"),
        )
    except (OSError, KeyError, TypeError, ValueError) as e:
        raise ValueError(f"{path} is damaged: {e}. Fit it again.") from e


def is_detector(folder: str | os.PathLike) -> bool:
    """Whether there is a detector in a folder."""
    return (pathlib.Path(folder) / FACTS).is_file()


def fingerprint(head: Head) -> str:
    """Returns a digest of a head's weights: another network has another."""
    digest = hashlib.sha256()
    for name, array in _head_arrays(head).items():
        digest.update(f"{name} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()


def _read_facts(folder):
    path = folder / FACTS
    if not path.is_file():
        raise ValueError(
            f"There is no detector in {folder}: it has no {FACTS}."
        )
    try:
        given = read_json(path)
        facts = READ(given, "facts")
        newer = facts["format"] > FORMAT
        if not newer and facts.get(SEAL, _seal_of(given)) != _seal_of(given):
            raise ValueError("it was changed after it was written")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged: {error}. Fit it again."
        ) from error
    if newer:
        raise ValueError(
            f"{path} was written by a later version of this package: "
            f"format {facts['format']}, and this one knows {FORMAT}."
        )
    return facts


def _seal_of(facts):
    """Returns a digest of all facts but itself."""
    others = {name: value for name, value in facts.items() if name != SEAL}
    return digest_of_json(others)


def _check_free(folder):
    if not os.path.lexists(folder) or is_detector(folder):
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    raise ValueError(
        f"{folder} exists and is no detector: name another folder."
    )


def _head_arrays(head):
    arrays = {"kernel": head.kernel, "bias": head.bias}
    if head.gate_matrix is not None:
        arrays["gate_matrix"] = head.gate_matrix
    return {f"{HEAD}{name}": array for name, array in arrays.items()}
