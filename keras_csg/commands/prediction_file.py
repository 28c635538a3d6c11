import contextlib
import csv
import json
import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from keras_csg.commands.arguments import check_path
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.data.label_sets import SEPARATORS, joined
from keras_csg.files import check_writable, whole_file
from keras_csg.printable import printable

COLUMNS = (
    "image",
    "class_name",
    "probability",
    "class_specific",
    "class_specific_probability",
    "gate_agreement",
    "anomaly_score",
    "known",
    "heatmap",
    "error",
)


def write_predictions(
    predictions: Iterable[dict[str, Any]], path: str | os.PathLike
) -> Iterator[dict[str, Any]]:
    """Writes predictions into a file, one by one as they pass through.

    Args:
        predictions: dicts as of `predict_images`.
        path: path of the file: `.jsonl` has a JSON object in each line, `.csv`
            the likeliest class of each image; where there may be several all
            of a probability of at least 0.5, `cat|dog`, or `-` for none.

    Returns:
        An iterator over the same dicts. The file gets its name when it is
        used up.

    Raises:
        InputError: if the path ends in neither, or cannot be written.
    """
    check_path("path", path)
    path = pathlib.Path(path)
    if path.suffix not in (".csv", ".jsonl"):
        raise InputError(
            f"Predictions go to a .csv or a .jsonl file. Received: {path}"
        )
    with input_errors():
        check_writable(path)
    return _written(predictions, path)


def _written(predictions, path):
    with contextlib.ExitStack() as stack:
        part = stack.enter_context(whole_file(path))
        # Names that are no UTF-8 keep their bytes.
        stream = stack.enter_context(
            part.open(
                "w", newline="", encoding="utf-8", errors="surrogateescape"
            )
        )
        write = _csv_writer(stream) if path.suffix == ".csv" else None
        for prediction in predictions:
            if write is None:
                stream.write(json.dumps(prediction) + "\n")
            else:
                write(_row(prediction))
            yield prediction


def _csv_writer(stream):
    # A carriage return in a name is quoted only where it ends the lines.
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    return writer.writerow


def _row(prediction):
    row = {key: prediction[key] for key in COLUMNS if key in prediction}
    specific = prediction.get("class_specific")
    if "present" in prediction:
        row |= _several(prediction["present"])
        specific = None if specific is None else _several(specific)
    elif "classes" in prediction:
        row |= prediction["classes"][0]
    if specific is not None:
        row["class_specific"] = specific["class_name"]
        row["class_specific_probability"] = specific["probability"]
    # A table is looked at in a terminal, too. Paths stay as they are: they are
    # to lead to the images.
    for column in ("class_name", "class_specific"):
        if column in row:
            row[column] = printable(row[column])
    return row


def _several(entries):
    """Returns classes as a table of labels has them, one behind another."""
    return {
        "class_name": joined([entry["class_name"] for entry in entries]),
        "probability": SEPARATORS[0].join(
            f"{entry['probability']:.6g}" for entry in entries
        ),
    }
