import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_csg.data.image_files import in_threads
from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.heatmap_pictures import HeatmapPictures
from keras_csg.deployment.predictions import describe_answer

if TYPE_CHECKING:
    from keras_csg.models.classifier import CSGClassifier

BATCH_SIZE = 64
NEEDED = ("probabilities", "class_id")


def predict_files(
    source: "CSGClassifier | ExportedAnswers",
    paths: Sequence[str | os.PathLike],
    *,
    top: int = 3,
    heatmaps: str | os.PathLike | None = None,
) -> list[dict]:
    """Classifies image files; see `predict_each`.

    Returns:
        A list with a dict for each file.

    Raises:
        ValueError: if a file cannot be read as an image, and as `predict_each`.
        OSError: if the pictures cannot be written.
    """
    predictions = list(predict_each(source, paths, top=top, heatmaps=heatmaps))
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

    Yields:
        A dict for each file: `image`, its path; `classes`, the predicted one
        and then the likeliest, `top` in all, each with `class_name` and
        `probability`; `class_specific`, the likeliest by the `(W * G)` head;
        `gate_agreement`, that head's probability of the predicted class;
        `filters`, those with the largest positive share of the predicted
        class's logit, each with `filter`, `share` and, if it has one, `name`;
        and `heatmap`, the path of the picture. Of a file that cannot be read:
        `image` and `error`.

        Where an image may have several classes, `present` lists all with a
        probability of at least 0.5, which `classes` has even where they are
        more than `top`, `class_specific` is such a list, too, and
        `probabilities` a dict of all. The predicted class is the likeliest.

    Raises:
        ValueError: if a file is not there, or `source` is neither of these or
            does not answer what is needed.
        OSError: if the pictures cannot be written.
    """
    source = _answering(source, with_heatmap=heatmaps is not None)
    _check_outputs(source.metadata, heatmaps)
    _check_files(paths)
    pictures = None
    if heatmaps is not None:
        pictures = HeatmapPictures(heatmaps, paths, source.metadata)
    # A generator of its own, so that mistakes are named before the first.
    return _predict(source, paths, top, pictures)


def _answering(source, with_heatmap):
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

    return ClassifierAnswers(source, with_heatmap)


def _predict(source, paths, top, pictures):
    metadata = source.metadata
    for start in range(0, len(paths), BATCH_SIZE):
        some = paths[start : start + BATCH_SIZE]
        images, errors = _read_all(some, source.metadata)
        answers = source.answer(images) if len(images) else {}
        row = 0
        for path, error in zip(some, errors, strict=True):
            if error is not None:
                yield {"image": str(path), "error": error}
                continue
            answer = {name: values[row] for name, values in answers.items()}
            row += 1
            found = {
                "image": str(path),
                **describe_answer(answer, metadata, top),
            }
            if pictures is not None:
                pictures.draw(found, answer["heatmap"])
            yield found


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


def _read_all(paths, metadata):
    """Returns the images that can be read, as the model takes them.

    And for each file what is wrong with it, `None` for nothing.
    """
    size, reading = metadata.input["shape"][1:3], metadata.reading
    found = in_threads(lambda path: _try_to_read(path, size, reading), paths)
    images = [image for image, _ in found if image is not None]
    kind = metadata.input["dtype"]
    stacked = np.stack(images).astype(kind) if images else np.empty(0, kind)
    return stacked, [error for _, error in found]


def _try_to_read(path, size, reading):
    try:
        return reading.decode(path, size), None
    except Exception as error:  # Pillow raises all sorts on damaged files.
        return None, f"Cannot read the image {path}: {error}"
