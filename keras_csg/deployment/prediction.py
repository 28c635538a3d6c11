import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.formats.described import NoNumbersError
from keras_csg.deployment.formats.sizes import SizeError
from keras_csg.deployment.heatmap_pictures import HeatmapPictures
from keras_csg.deployment.image_batches import read_each, takes_any_size
from keras_csg.deployment.predictions import describe_answer

if TYPE_CHECKING:
    from keras_csg.models.classifier import CSGClassifier
    from keras_csg.robustness.detection import AnomalyDetector

BATCH_SIZE = 64
NEEDED = ("probabilities", "class_id")
MOST_LETTERS = 200
"""Of what a runtime says of an image that it cannot take."""


def predict_files(
    source: "CSGClassifier | ExportedAnswers",
    paths: Sequence[str | os.PathLike],
    *,
    top: int = 3,
    heatmaps: str | os.PathLike | None = None,
    max_pixels: int | None = None,
    detector: "AnomalyDetector | None" = None,
) -> list[dict]:
    """Classifies image files; see `predict_each`.

    Returns:
        A list with a dict for each file.

    Raises:
        ValueError: if a file cannot be read as an image, and as `predict_each`.
        OSError: if the pictures cannot be written.
    """
    predictions = list(
        predict_each(
            source,
            paths,
            top=top,
            heatmaps=heatmaps,
            max_pixels=max_pixels,
            detector=detector,
        )
    )
    for prediction in predictions:
        if "error" in prediction:
            raise ValueError(prediction["error"])
    return predictions


def predict_each(
    source: "CSGClassifier | ExportedAnswers",
    paths: Sequence[str | os.PathLike],
    *,
    top: int = 3,
    heatmaps: str | os.PathLike | None = None,
    max_pixels: int | None = None,
    detector: "AnomalyDetector | None" = None,
) -> Iterator[dict]:
    """Classifies image files one after the other, however many they are.

    What `source` does not compute is left out, such as the class-specific
    head's prediction where there is no gate.

    Args:
        source: `CSGClassifier`, or what `keras_csg.open_exported` returns.
        paths: list of paths.
        top: int. Number of classes to name.
        heatmaps: path of a folder to draw each image in, with the heatmap of
            its predicted class over it; `None` for no pictures.
        max_pixels: int. Files with more are not decoded; `None` for as many
            as `ImageReading` takes.
        detector: of a `CSGClassifier`, an `AnomalyDetector` that was loaded
            with it; an exported model has its own, if any.

    Yields:
        A dict for each file: `image`, its path; `classes`, the predicted one
        and then the likeliest, `top` in all, each with `class_name` and
        `probability`; `class_specific`, the likeliest by the `(W * G)` head;
        `gate_agreement`, that head's probability of the predicted class;
        `filters`, those with the largest positive share of the predicted
        class's logit, each with `filter`, `share` and, if it has one, `name`;
        `anomaly_score` and `known` where there is a detector: the share of
        clean images that are less strange, and whether it is among the known
        classes; and `heatmap`, the path of the picture. Of a file that cannot
        be read or has no probabilities that are numbers: `image` and `error`.

        Where an image may have several classes, `present` lists all with a
        probability of at least 0.5, which `classes` has even where they are
        more than `top`, `class_specific` is such a list, too, and
        `probabilities` a dict of all. The predicted class is the likeliest.

    Raises:
        ValueError: if a file is not there, or `source` is neither of these or
            does not answer what is needed.
        OSError: if the pictures cannot be written.
    """
    source = _answering(source, heatmaps is not None, detector)
    _check_outputs(source.metadata, heatmaps)
    _check_files(paths)
    pictures = None
    if heatmaps is not None:
        pictures = HeatmapPictures(heatmaps, paths, source.metadata)
    # A generator of its own, so that mistakes are named before the first.
    return _predict(source, paths, top, pictures, max_pixels)


def _answering(source, with_heatmap, detector):
    """Returns what answers: an exported model as it is, or a classifier."""
    if hasattr(source, "answer") and hasattr(source, "metadata"):
        return source
    # Who has a classifier has loaded its module, and Keras with it.
    module: Any = sys.modules.get("keras_csg.models.classifier")
    if module is None or not isinstance(source, module.CSGClassifier):
        raise ValueError(
            "`source` must be a run or an exported model: its path, a "
            "`CSGClassifier`, or what `keras_csg.open_exported` returns. "
            f"Received: source of type {type(source).__name__}"
        )
    from keras_csg.deployment.classifier_answers import ClassifierAnswers

    return ClassifierAnswers(source, with_heatmap, detector)


def _predict(source, paths, top, pictures, max_pixels):
    metadata = source.metadata
    # Those of a model that takes any size are not of one.
    many = 1 if takes_any_size(metadata) else BATCH_SIZE
    for start in range(0, len(paths), many):
        some = paths[start : start + many]
        found = read_each(some, metadata, max_pixels)
        answers = _answers(source, [i for i, _ in found if i is not None])
        for path, (image, error) in zip(some, found, strict=True):
            prediction = {"image": str(path)}
            if error is None:
                answer, error = next(answers)
                error = error or _fault_of(answer)
                error = error and f"There is no prediction for {path}: {error}"
            if error is None:
                prediction |= describe_answer(answer, metadata, top)
                if pictures is not None:
                    size = image.shape[:2]
                    pictures.draw(prediction, answer["heatmap"], size)
            else:
                prediction["error"] = error
            yield prediction


def _answers(source, images):
    """Yields a dict of arrays for each image, of one call for all.

    And what is wrong, `None` for nothing. One of both is `None`.
    """
    if not images:
        return
    try:
        answers = source.answer(np.stack(images))
    except NoNumbersError as error:
        if len(images) == 1:
            yield None, str(error)
        else:  # The others have their answers.
            for image in images:
                yield from _answers(source, [image])
        return
    except Exception as error:  # Of no public class.
        fault = str(error)
        if not isinstance(error, SizeError):
            why = " ".join(fault.split())
            cut = "..." * (len(why) > MOST_LETTERS)
            fault = (
                f"the model fails to answer ({type(error).__name__}: "
                f"{why[:MOST_LETTERS]}{cut})"
            )
        for _ in images:
            yield None, fault
        return
    for row in range(len(images)):
        yield {name: values[row] for name, values in answers.items()}, None


def _fault_of(answer):
    """Returns what is wrong with an answer, `None` for nothing."""
    if np.isfinite(answer["probabilities"]).all():
        return None
    return (
        "the model's probabilities are no numbers (NaN). Its weights are "
        "damaged, or its training diverged."
    )


def _check_outputs(metadata, heatmaps):
    needed = NEEDED if heatmaps is None else (*NEEDED, "heatmap")
    missing = [name for name in needed if name not in metadata.outputs]
    if missing:
        raise ValueError(
            f"The exported model lacks {' and '.join(missing)}, which this "
            "needs: export it with more `outputs`. Received: outputs="
            f"{','.join(metadata.outputs)}"
        )


def _check_files(paths):
    """Refuses what is not there before any of it is drawn."""
    for path in paths:
        if not os.path.exists(path):
            raise ValueError(f"There is no file {path}.")
