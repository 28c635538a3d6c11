"""Cards of the weights that come with the package.

`NAME.json` is the card of `NAME.keras`; both lie beside this file.
"""

import dataclasses
import os
import pathlib
from typing import Any

from keras_csg.choices import WEIGHTS_PREFIX
from keras_csg.files import sha256_of
from keras_csg.printable import did_you_mean
from keras_csg.untrusted.fields import (
    anything,
    check_fields,
    figure,
    list_of,
    required,
    table_of,
    text,
)
from keras_csg.untrusted.json_text import read_json

FOLDER = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class WeightsCard:
    """What weights that come with the package are, and what they are worth.

    Attributes:
        name: str.
        description: str. What the network is, in a line.
        data: str. What it was trained on, and where that comes from.
        licence: str. Of the weights.
        limits: tuple of str. What they are not good for.
        class_names: tuple of str, in the order of the logits.
        options: dict of the training's options by name; see
            `keras_csg.training.TrainingOptions`.
        figures: dict of what `keras_csg.evaluate` found on the test split.
        versions: dict from a package to the version that trained them.
        sha256: str. Of the file, in hexadecimal.
    """

    name: str = required(text)
    description: str = required(text)
    data: str = required(text)
    licence: str = required(text)
    limits: tuple[str, ...] = required(list_of(text))
    class_names: tuple[str, ...] = required(list_of(text, least=1))
    options: dict[str, Any] = required(table_of(anything))
    figures: dict[str, Any] = required(table_of(figure))
    versions: dict[str, str] = required(table_of(text))
    sha256: str = required(text)

    @property
    def path(self) -> pathlib.Path:
        """The `.keras` file."""
        return FOLDER / f"{self.name}.keras"

    @property
    def source(self) -> str:
        """The name as it stands where a path may stand as well."""
        return WEIGHTS_PREFIX + self.name

    @property
    def backbone(self) -> str:
        """The name of the backbone."""
        return self.options["backbone"]

    def check_file(self) -> None:
        """Refuses a file that is not the one the card is of.

        Raises:
            ValueError: if it is missing or another.
        """
        try:
            found = sha256_of(self.path)
        except OSError as error:
            raise ValueError(
                f"Cannot read {self.path}: {error.strerror or error}. Install "
                "keras-csg again."
            ) from error
        if found != self.sha256:
            raise ValueError(
                f"{self.path} is damaged: its sha256 is {found[:12]}..., and "
                f"that of {self.source} {self.sha256[:12]}.... Install "
                "keras-csg again."
            )


def list_cards() -> list[WeightsCard]:
    """Returns the cards of the weights that come with the package, by name."""
    return [read_card(name) for name in _names()]


def read_card(name: str) -> WeightsCard:
    """Returns the card of a name.

    Raises:
        ValueError: if there are no such weights.
    """
    names = _names()
    if name not in names:
        raise ValueError(
            f"There are no weights {WEIGHTS_PREFIX}{name}"
            f"{did_you_mean(name, names)}Those that come with "
            f"the package: {', '.join(names) or 'none'}."
        )
    path = FOLDER / f"{name}.json"
    try:
        values = read_json(path)
        if isinstance(values, dict):
            values["name"] = name
        found = check_fields(WeightsCard, values)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged: {error}. Install keras-csg again."
        ) from error
    for field in ("limits", "class_names"):
        found[field] = tuple(found[field])
    return WeightsCard(**found)


def find_card(weights: Any) -> WeightsCard | None:
    """Returns the card that `weights` names, `None` for a path or other names.

    Args:
        weights: `"NAME"` or `"weights:NAME"`; a path means the file there.

    Raises:
        ValueError: if there are none of the name after `weights:`.
    """
    # A `Run` of shipped weights is a path-like of that name.
    if not isinstance(weights, str | os.PathLike):
        return None
    text = os.fspath(weights)
    if isinstance(text, str) and text.startswith(WEIGHTS_PREFIX):
        return read_card(text.removeprefix(WEIGHTS_PREFIX))
    if isinstance(weights, str) and weights in _names():
        return read_card(weights)
    return None


def _names():
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
