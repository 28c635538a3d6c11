"""The description that an exported file carries."""

import dataclasses
import json
import os
import pathlib

import numpy as np

from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.deployment.metadata_checks import (
    DETECTOR,
    DIGEST,
    INPUT,
    TEMPERATURE,
    check_together,
    class_name,
    filter_names_of,
    pack_matrix,
    unpack_matrix,
)
from keras_csg.printable import printable
from keras_csg.untrusted.fields import (
    anything,
    check_fields,
    flag,
    list_of,
    one_of,
    optional,
    required,
    table_of,
    text,
    whole,
)
from keras_csg.untrusted.json_text import digest_of_json, parse_json
from keras_csg.untrusted.limits import MOST_TEXT
from keras_csg.version import version

METADATA_FILE = "keras_csg.json"
LABELS_FILE = "labels.txt"
"""Names of what lies beside an exported model: its metadata, its classes."""


@dataclasses.dataclass(frozen=True)
class Metadata:
    """Description of an exported model, carried inside its file.

    It is JSON: in an ONNX file under the key `keras_csg` of its
    `metadata_props`, in a SavedModel as `assets.extra/keras_csg.json`, in a
    LiteRT file as `keras_csg.json` in the zip archive after the model. To
    read the gate matrix without this package:

        value = json.loads(text)["gate_matrix"]
        data = zlib.decompress(base64.b64decode(value["data"]))
        gate = np.frombuffer(data, "<f4").reshape(value["shape"])

    Args:
        format: str. Name of its format, such as `"onnx"`.
        backbone: str. Name of the backbone.
        class_names: list of str, in the order of the probabilities.
        input: dict with `name`, `shape` `(None, height, width, 3)`, `dtype`,
            `range` (`range_of`), `color`, `layout`, `least_size` (of images of
            any size: smallest height and width), and how a file becomes it:
            `resize`, `background`, `white_level` (`ImageReading`), and
            `preprocessing`, the steps in words and numbers for programs.
        outputs: dict of the outputs' names and what they are.
        gate_matrix: float32 array of shape `(classes, filters)`; `None`
            without a gate.
        filter_classes: list of int: the best class of each filter; `None`
            without a gate.
        filter_names: dict from the number of a filter to a person's name for
            it; text in JSON.
        multi_label: bool. Whether an image may have several classes: each has
            a probability by itself, and is there from 0.5.
        quantization: `None`, `"float16"`, `"dynamic"` or `"int8"`.
        detector: what says whether an image is known: `score`, its name;
            `threshold`, in that score's unit; `known_up_to`, the same as an
            `anomaly_score`, which is `1 - false_alarm_rate`;
            `false_alarm_rate`; `images`, how many clean ones it was found
            from, or `None`; and `baseline`, whether the network has no gate.
            `None` without one.
        temperature: what the logits are divided by before they become
            probabilities, the fields of
            `keras_csg.evaluation.temperature.Calibration`; `None` for nothing.
        project_version: str. Version of this package that wrote the file.
        digest: dict of SHA-256, in hexadecimal, which opening compares:
            `model` of graph and weights, `description` of all else here.
            `None` in files of before there was one.
    """

    # What each may hold stands beside its type; a new one that may be left
    # out is one line.
    format: str = required(text)
    backbone: str = required(text)
    class_names: list[str] = required(list_of(class_name, least=1))
    input: dict = required(INPUT)
    outputs: dict[str, str] = required(table_of(text, least=1))
    gate_matrix: np.ndarray | None = optional(anything)
    filter_classes: list[int] | None = optional(list_of(whole()))
    filter_names: dict[int, str] = optional(filter_names_of, factory=dict)
    multi_label: bool = optional(flag, default=False)
    quantization: str | None = optional(text)
    detector: dict | None = optional(DETECTOR)
    temperature: dict | None = optional(TEMPERATURE)
    project_version: str = optional(text, factory=version)
    digest: dict[str, str] | None = optional(DIGEST)

    @property
    def reading(self) -> ImageReading:
        """How image files become its input; version 0.1.0 did not say."""
        known = {
            name: self.input[name]
            for name in PLAIN.to_dict()
            if name in self.input
        }
        return ImageReading(**known)

    def to_json(self) -> str:
        """Returns the metadata as a JSON string."""
        values = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
        }
        if self.gate_matrix is not None:
            values["gate_matrix"] = pack_matrix(self.gate_matrix)
        if self.digest is None:
            del values["digest"]
        return json.dumps(values)

    def sealed(self, model: str) -> "Metadata":
        """Returns the metadata with digests of what they stand for.

        Args:
            model: str. SHA-256 of the file's graph and weights.
        """
        plain = dataclasses.replace(self, digest=None)
        description = digest_of_json(json.loads(plain.to_json()))
        digest = {"model": model, "description": description}
        return dataclasses.replace(self, digest=digest)

    @classmethod
    def from_json(
        cls,
        text: str,
        model_bytes: int | None = None,
        *,
        source: str | os.PathLike = "the exported model",
        format: str | None = None,
    ) -> "Metadata":
        """Reads what `to_json` wrote.

        Args:
            text: str.
            model_bytes: int. Size of the exported model, which has the head's
                weights and so as many numbers as the gate matrix; `None` not
                to compare.
            source: path of the file that it is in, for the message.
            format: str. The format of that file; `None` for any.

        Raises:
            ValueError: in one line, naming file and field, if the text is
                something else.
        """
        try:
            given = parse_json(text)
            values = check_fields(cls, given, "the whole")
            one_of(format or values["format"])(values["format"], "format")
            _check_seal(given, values.get("digest"))
            values["gate_matrix"] = unpack_matrix(values, model_bytes)
            read = cls(**values)
            check_together(read)
            return read
        except ValueError as error:
            raise ValueError(
                f"The metadata of {source} are damaged: "
                + " ".join(str(error).split())
            ) from error


def _check_seal(given, digest):
    """Refuses a description that is not the one that was written."""
    if digest is None or "description" not in digest:
        return
    others = {name: v for name, v in given.items() if name != "digest"}
    if digest_of_json(others) != digest["description"]:
        raise ValueError(
            "they were changed after they were written; without `digest` they "
            "are taken as they are"
        )


def write_descriptions(folder: pathlib.Path, metadata: Metadata) -> None:
    """Writes the metadata and the labels into a folder, in UTF-8 everywhere."""
    for name, content in (
        (METADATA_FILE, metadata.to_json()),
        (LABELS_FILE, labels_text(metadata.class_names)),
    ):
        (folder / name).write_text(content, encoding="utf-8")


def read_description(
    folder: pathlib.Path,
    unknown: str,
    model_bytes: int | None = None,
    format: str | None = None,
) -> Metadata:
    """Reads the metadata that `write_descriptions` wrote.

    Args:
        folder: path of the folder.
        unknown: str. What to say where there are none.
        model_bytes: see `Metadata.from_json`.
        format: see there.

    Raises:
        ValueError: if there are none, or they are damaged.
    """
    path = folder / METADATA_FILE
    try:
        if not path.is_file():  # Of a pipe nobody may ever write into.
            raise FileNotFoundError(path)
        size = path.stat().st_size
        text = path.read_text("utf-8") if size <= MOST_TEXT else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(unknown) from error
    if size > MOST_TEXT:
        raise ValueError(f"{path} is larger than any description needs to be.")
    return Metadata.from_json(text, model_bytes, source=path, format=format)


def labels_text(class_names: list[str]) -> str:
    """Returns what a file of the classes holds: a line for each, in order.

    Whatever a class is called: what would end a line becomes a space.
    """
    return "".join(f"{one_line(name)}\n" for name in class_names)


def one_line(name: str) -> str:
    """Returns a name without what ends a line, or is not to be seen."""
    return printable(" ".join(str(name).splitlines()))
