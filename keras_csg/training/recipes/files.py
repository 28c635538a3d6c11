import dataclasses
import functools
import importlib.resources
import tomllib
from typing import Any

from keras_csg.printable import did_you_mean


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A set of options that goes together, under a name.

    Attributes:
        name: str.
        description: str. What it is for, in a line.
        needs: names of the options that it cannot answer for.
        options: dict of options by name; see `TrainingOptions`.
    """

    name: str
    description: str
    needs: tuple[str, ...]
    options: dict[str, Any]


def list_recipes() -> list[Recipe]:
    """Returns the recipes, in the order of their names."""
    return [read_recipe(name) for name in _names()]


def read_recipe(name: str) -> Recipe:
    """Returns the recipe of a name.

    Raises:
        ValueError: if there is none.
    """
    if name not in _names():
        raise ValueError(
            f"Unknown recipe {name!r}{did_you_mean(name, _names())}"
            "Those there are: "
            f"{', '.join(_names())}."
        )
    return _read(name)


@functools.cache
def _names() -> tuple[str, ...]:
    files = importlib.resources.files(__package__).iterdir()
    names = (file.name for file in files)
    return tuple(
        sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml"))
    )


@functools.cache
def _read(name: str) -> Recipe:
    file = importlib.resources.files(__package__) / f"{name}.toml"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return Recipe(
        name,
        table["description"],
        tuple(table.get("needs", ())),
        table["options"],
    )
