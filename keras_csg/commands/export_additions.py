"""What an export adds to a run's network, if it is asked to."""

import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from keras_csg.commands.arguments import check_path
from keras_csg.commands.input_error import InputError
from keras_csg.files import at_home
from keras_csg.training.run_folders import detector_of, nearest_detector


def find_detector(
    run: str | os.PathLike, detector: str | os.PathLike | bool | None
) -> pathlib.Path | None:
    """Returns the folder of the detector that is asked for.

    Args:
        run: see `plan_export`.
        detector: see `plan_export`.

    Raises:
        InputError: if there is none, saying how to fit one.
    """
    if detector is None or detector is False:
        return None
    name = os.fspath(run)
    if detector is True:
        folder = detector_of(run)
        if folder is None:
            raise InputError(
                f"{name} has no detector: `keras-csg detect fit {name}` fits "
                "one."
            )
        return folder
    check_path("detector", detector)
    path = nearest_detector(at_home(detector))
    if not path.exists():
        raise InputError(
            f"There is no detector {path}: `keras-csg detect fit {name}` fits "
            "one."
        )
    return path


def added_to(
    model: Any,
    images: Mapping[str, Any],
    detector: Any,
    calibrate: bool,
    log: Callable[[str], Any],
) -> dict[str, Any]:
    """Returns a detector and a temperature as arguments of `export_all`.

    Args:
        model: `CSGClassifier`.
        images: dict with the run's `data`, or why they are missing.
        detector: `AnomalyDetector` or `None`.
        calibrate: bool. Whether to find a temperature.
        log: callable that takes a line.

    Raises:
        InputError: if there are no images to calibrate on.
    """
    if detector is not None and not model.gated:
        log("The network has no gate: its detector is the baseline.")
    temperature = None
    if calibrate:
        if "data" not in images:
            raise InputError(
                "`calibrate` takes images of the validation split: say where "
                f"they are with `data_dir`. Received: {images['missing_data']}"
            )
        from keras_csg.commands.calibrate import calibrate_on

        temperature = calibrate_on(model, images["data"].validation, log)
    return {"detector": detector, "temperature": temperature}
