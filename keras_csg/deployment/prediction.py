import os
import pathlib
from collections.abc import Iterator, Sequence

import keras
import numpy as np

from keras_csg.data.image_files import in_threads
from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.deployment.graph.outputs import PRESENT, output_names
from keras_csg.deployment.metadata import describe
from keras_csg.files import free_path
from keras_csg.models.classifier import CSGClassifier

NAMED_FILTERS = 5
BATCH_SIZE = 64
NEEDED = ("probabilities", "class_id")
# The shorter side of a picture, in pixels: small images are enlarged to it.
PICTURE_SIDE = 256


def predict_files(
    source: CSGClassifier | ExportedAnswers,
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
    source: CSGClassifier | ExportedAnswers,
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
    if isinstance(source, CSGClassifier):
        source = _AnsweringClassifier(source, with_heatmap=heatmaps is not None)
    if not (hasattr(source, "answer") and hasattr(source, "metadata")):
        raise ValueError(
            "`source` must be a run or an exported model: its path, a "
            "`CSGClassifier`, or what `keras_csg.open_exported` returns. "
            f"Received: source of type {type(source).__name__}"
        )
    _check_outputs(source.metadata, heatmaps)
    _check_files(paths)
    pictures = None
    if heatmaps is not None:
        pictures = _Pictures(heatmaps, paths, source.metadata)
    # A generator of its own, so that mistakes are named before the first.
    return _predict(source, paths, top, pictures)


def _predict(source, paths, top, pictures):
    metadata = source.metadata
    describe_answer = _describe
    if metadata.multi_label:
        describe_answer = _describe_several
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


class _AnsweringClassifier(ExportedAnswers):
    """A classifier that answers as an exported file does."""

    def __init__(self, model, with_heatmap):
        names = output_names(model.gated)
        if not with_heatmap:  # It takes time, so only where it is looked at.
            names.remove("heatmap")
        self._answering = answering_model(model, names)
        self.metadata = describe(model, self._answering, "keras")
        self.runtime = f"keras {keras.__version__}"

    def _run(self, images):
        answers = self._answering(images, training=False)
        return {
            name: keras.ops.convert_to_numpy(values)
            for name, values in answers.items()
        }


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


def _describe(answer, metadata, top):
    """Returns the prediction for one image, with names for numbers."""
    names = metadata.class_names
    probabilities = answer["probabilities"]
    described = {
        "classes": [
            _entry(names, probabilities, index)
            for index in _likeliest(answer["class_id"], probabilities)[:top]
        ]
    }
    if "class_specific_probabilities" in answer:
        specific = answer["class_specific_probabilities"]
        described["class_specific"] = _entry(names, specific, specific.argmax())
    if "gate_agreement" in answer:
        described["gate_agreement"] = float(answer["gate_agreement"])
    if "filter_contributions" in answer:
        parts = answer["filter_contributions"]
        described["filters"] = _largest_shares(parts, metadata.filter_names)
    return described


def _describe_several(answer, metadata, top):
    """Returns the prediction for one image that may have several classes."""
    names = metadata.class_names
    probabilities = answer["probabilities"]
    present = _present(names, probabilities)
    described = {
        **_describe(answer, metadata, max(top, len(present))),
        "present": present,
        "probabilities": {
            name: float(probability)
            for name, probability in zip(names, probabilities, strict=True)
        },
    }
    if "class_specific" in described:
        specific = answer["class_specific_probabilities"]
        described["class_specific"] = _present(names, specific)
    return described


def _present(names, probabilities):
    """Returns the classes that are there, from the likeliest down."""
    order = np.argsort(-probabilities, kind="stable")
    return [
        _entry(names, probabilities, index)
        for index in order
        if probabilities[index] >= PRESENT
    ]


def _likeliest(class_id, probabilities):
    """Returns the classes from the likeliest down, the predicted one first.

    In a quantised model several may share the largest probability.
    """
    order = np.argsort(-probabilities, kind="stable")
    return [class_id, *order[order != class_id]]


def _entry(names, probabilities, index):
    return {
        "class_name": names[index],
        "probability": float(probabilities[index]),
    }


def _largest_shares(parts, names):
    """Returns the filters with the largest positive parts, as shares of all.

    Of their sizes, whatever the sign. A file of 0.1.0 answers in such shares.
    """
    shares = parts / max(np.abs(parts).sum(), np.finfo("float32").tiny)
    order = np.argsort(-shares, kind="stable")[:NAMED_FILTERS]
    return [
        {"filter": int(k), "share": float(shares[k])}
        | ({"name": names[k]} if k in names else {})
        for k in order
        if shares[k] > 0
    ]


class _Pictures:
    """Draws images with their heatmaps into a folder."""

    def __init__(self, folder, images, metadata):
        self._folder = pathlib.Path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"Cannot write to {folder}: {error.strerror}."
            ) from error
        self._reading = metadata.reading
        height, width = metadata.input["shape"][1:3]
        scale = -(-PICTURE_SIDE // min(height, width))
        # The network's field of view, at a size to look at.
        self._size = height * scale, width * scale
        self._taken = {pathlib.Path(image).resolve() for image in images}

    def draw(self, prediction, heatmap):
        """Draws one image and writes down in the prediction where."""
        from keras_csg.plots.maps import save_overlay  # Loads matplotlib.

        stem = pathlib.Path(prediction["image"]).stem
        path = free_path(self._folder, stem, ".heatmap.png", self._taken)
        image = self._reading.decode(prediction["image"], self._size)
        save_overlay(image, heatmap, path)
        prediction["heatmap"] = str(path)
