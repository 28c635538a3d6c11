"""Names of filters in the file of a run's model."""

import json
import pathlib
import shutil
import zipfile
from collections.abc import Mapping

from keras_csg.backbones.weights import read_model_file
from keras_csg.files import cannot_read, cannot_write
from keras_csg.training.runs import Run
from keras_csg.untrusted.archives import DAMAGE, read_member
from keras_csg.untrusted.json_text import parse_json
from keras_csg.untrusted.limits import MOST_TEXT

CONFIG = "config.json"
"""What the archive that a `.keras` file is calls the model's configuration."""


def keep_filter_names(run: Run, names: Mapping[int, str]) -> None:
    """Writes names of filters into the run's `model.keras`.

    The file is written whole or not at all. Its configuration alone is
    another, so weights and the optimizer's state stay as they are, bit for
    bit.

    Args:
        run: finished `Run`.
        names: dict from a filter's number to its name: all there are to be.

    Raises:
        ValueError: if another process trains in the run, or its model cannot
            be read or written.
    """
    run.lock()
    try:
        run.checksums.check(run.model_path)
        with run.checksums.writing(run.model_path) as part:
            _copy_with_names(run.model_path, part, names)
            written = read_model_file(part, compile=False).filter_names
            if written != dict(names):
                raise ValueError(f"Cannot keep names in {run.model_path}.")
    except OSError as error:
        raise ValueError(cannot_write(run.model_path, error)) from error
    finally:
        run.unlock()


def stored_filter_names(path: pathlib.Path) -> dict[int, str]:
    """Returns the names that a `.keras` file has, without loading the model.

    Args:
        path: path of the file. One of 0.1.0 has none.

    Raises:
        ValueError: if it cannot be read.
    """
    try:
        whole = parse_json(read_member(path, CONFIG, MOST_TEXT))
        names = whole["config"].get("filter_names") or {}
        return {int(number): name for number, name in names.items()}
    except OSError as error:
        raise ValueError(cannot_read(path, error)) from error
    except (*DAMAGE, AttributeError) as error:
        raise ValueError(f"Cannot read {path}: {error}") from error


def _copy_with_names(path, part, names):
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(part, "w") as new:
        for info in old.infolist():
            if info.filename == CONFIG:
                config = parse_json(old.read(info))
                config["config"]["filter_names"] = {
                    str(number): name for number, name in names.items()
                }
                new.writestr(info, json.dumps(config))
                continue
            with old.open(info) as source, new.open(info, "w") as target:
                shutil.copyfileobj(source, target)
