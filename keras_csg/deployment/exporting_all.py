"""Exports a classifier to several files; one that fails stops no other."""

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from keras_csg.data import ClassificationData
from keras_csg.deployment.exporting import export
from keras_csg.deployment.proof_images import choose_images
from keras_csg.deployment.targets import Target
from keras_csg.models.classifier import CSGClassifier


def export_all(
    model: CSGClassifier,
    targets: Iterable[Target],
    data: ClassificationData | None = None,
    *,
    missing_data: str = "data=None",
    on_begin: Callable[[Target], Any] = lambda target: None,
    on_done: Callable[[Target, dict | Exception], Any] = lambda *done: None,
    **options: Any,
) -> tuple[list[dict], dict[pathlib.Path, Exception]]:
    """Writes what can be written, each file proved as `export` does.

    Args:
        model: `CSGClassifier`.
        targets: what to write, from `plan_targets`.
        data: the `ClassificationData` it was trained on, to prove the files
            and to calibrate 8-bit ones on. `None` for random pixels, on which
            none can be calibrated.
        missing_data: str. Why there are no data, for the error's message.
        on_begin: called with each `Target` before it is written.
        on_done: called with each `Target` and its result: what `export`
            returned, or the exception.
        **options: arguments of `export` that hold for all files, such as
            `outputs`, `input_dtype`, `min_agreement` and `overwrite`.

    Returns:
        A list of what `export` returned, and a dict from the paths that failed
        to the exceptions. A `ValueError` or an `OSError` says why the file
        cannot be written; another one is a bug.
    """
    proofs: list[dict] = []
    failures: dict[pathlib.Path, Exception] = {}
    for target in targets:
        on_begin(target)
        try:
            images = _images_for(target, data, missing_data)
            proof = _export_target(model, target, **images, **options)
        except Exception as error:  # The others may be well.
            failures[target.path] = error
            on_done(target, error)
        else:
            proofs.append(proof)
            on_done(target, proof)
    return proofs, failures


def _images_for(target, data, missing_data):
    if data is not None:
        return choose_images(data, target.quantize)
    if target.quantize == "int8":
        raise ValueError(
            "int8 is calibrated on training images of the run: say where "
            f"they are with `data_dir`. Received: {missing_data}"
        )
    return {}


def _export_target(model, target, **options):
    return export(
        model,
        target.path,
        target.format,
        quantize=target.quantize,
        layout=target.layout,
        version=target.version,
        **options,
    )
