"""The description that an exported file carries."""

import base64
import dataclasses
import json
import pathlib
import zlib
from typing import TYPE_CHECKING

import numpy as np

from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.data.image_steps import preprocessing_steps
from keras_csg.deployment.graph.outputs import about_output
from keras_csg.version import version

if TYPE_CHECKING:
    from collections.abc import Iterable

    import keras

    from keras_csg.evaluation.temperature import Calibration
    from keras_csg.models.classifier import CSGClassifier
    from keras_csg.robustness.detection import AnomalyDetector

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
            `range`, `color`, `layout`, and how a file becomes such pixels:
            `resize`, `background` and `white_level` (`ImageReading`), and
            `preprocessing`, a list of the steps in words and numbers for
            programs that do it themselves.
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
    """

    format: str
    backbone: str
    class_names: list[str]
    input: dict
    outputs: dict[str, str]
    gate_matrix: np.ndarray | None = None
    filter_classes: list[int] | None = None
    filter_names: dict[int, str] = dataclasses.field(default_factory=dict)
    multi_label: bool = False
    quantization: str | None = None
    detector: dict | None = None
    temperature: dict | None = None
    project_version: str = dataclasses.field(default_factory=version)

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
            values["gate_matrix"] = _packed(self.gate_matrix)
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> "Metadata":
        """Reads what `to_json` wrote.

        Raises:
            ValueError: if the text is something else.
        """
        try:
            values = json.loads(text)
            if values["gate_matrix"] is not None:
                values["gate_matrix"] = _unpacked(values["gate_matrix"])
            values["filter_names"] = _names(values.get("filter_names", {}))
            values["input"]["shape"] = tuple(values["input"]["shape"])
            # Of a file that somebody described by hand they may be numbers.
            values["class_names"] = [str(n) for n in values["class_names"]]
            return cls(**values)
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            zlib.error,
        ) as error:
            raise ValueError(
                "The metadata of the exported model are damaged: "
                f"{type(error).__name__}: {error}"
            ) from error


def write_descriptions(folder: pathlib.Path, metadata: Metadata) -> None:
    """Writes the metadata and the labels into a folder, in UTF-8 everywhere."""
    for name, text in (
        (METADATA_FILE, metadata.to_json()),
        (LABELS_FILE, labels_text(metadata.class_names)),
    ):
        (folder / name).write_text(text, encoding="utf-8")


def read_description(folder: pathlib.Path, unknown: str) -> Metadata:
    """Reads the metadata that `write_descriptions` wrote.

    Args:
        folder: path of the folder.
        unknown: str. What to say where there are none.

    Raises:
        ValueError: if there are none, or they are damaged.
    """
    try:
        text = (folder / METADATA_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(unknown) from error
    return Metadata.from_json(text)


def labels_text(class_names: list[str]) -> str:
    """Returns what a file of the classes holds: a line for each, in order.

    Whatever a class is called: what would end a line becomes a space.
    """
    return "".join(f"{one_line(name)}\n" for name in class_names)


def one_line(name: str) -> str:
    """Returns a name without what ends a line."""
    return " ".join(str(name).splitlines())


def describe(
    model: "CSGClassifier",
    answering: "keras.Model",
    format: str,
    quantization: str | None = None,
    *,
    detector: "AnomalyDetector | None" = None,
    temperature: "Calibration | None" = None,
    outputs: "Iterable[str] | None" = None,
) -> Metadata:
    """Returns the `Metadata` of a classifier that is to be exported.

    Args:
        model: `CSGClassifier`.
        answering: what `answering_model` made of it.
        format: str.
        quantization: str or None.
        detector: as `answering_model` was given it.
        temperature: as `answering_model` was given it.
        outputs: names of what is answered, if it is more than the model gives.
    """
    from keras_csg.models.class_names import class_names_of  # Loads Keras.

    gate_matrix = filter_classes = None
    if model.gated:
        (gate_matrix,) = model.gate.get_weights()
        filter_classes = gate_matrix.argmax(axis=0).tolist()
    (images,) = answering.inputs
    image = {
        "name": "images",
        "shape": tuple(images.shape),
        "dtype": images.dtype,
        "range": [0, 255],
        "color": "RGB",
        "layout": "NHWC",
        **model.image_reading,
    }
    reading = ImageReading(**model.image_reading)
    image["preprocessing"] = preprocessing_steps(reading, image)
    return Metadata(
        format=format,
        backbone=model.backbone.name,
        class_names=class_names_of(model),
        input=image,
        outputs={
            name: about_output(name, model.multi_label)
            for name in outputs or answering.output
        },
        gate_matrix=gate_matrix,
        filter_classes=filter_classes,
        filter_names=model.filter_names,
        multi_label=model.multi_label,
        quantization=quantization,
        detector=None if detector is None else detector.description(),
        temperature=None if temperature is None else temperature._asdict(),
    )


def _names(values):
    """Returns the names of filters, whose numbers are text in JSON."""
    names = {int(number): name for number, name in values.items()}
    if not all(isinstance(name, str) for name in names.values()):
        raise TypeError("the name of a filter is no text")
    return names


def _packed(matrix):
    data = zlib.compress(np.asarray(matrix, "<f4").tobytes(), level=9)
    return {
        "shape": list(matrix.shape),
        "data": base64.b64encode(data).decode("ascii"),
    }


def _unpacked(value):
    data = zlib.decompress(base64.b64decode(value["data"]))
    return np.frombuffer(data, "<f4").reshape(value["shape"])
