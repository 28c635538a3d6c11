"""What an edit took away, and what it could not."""

import dataclasses

MOST_NAMED = 8


@dataclasses.dataclass(frozen=True)
class EditReport:
    """What `keras_csg.edit` did to a classifier, as its `edit_report`.

    Attributes:
        filters: list of int. Numbers of the filters that were removed, of the
            network before.
        classes: list of str. Names of the classes that were removed.
        shared: list of int. Filters that a removed class had to itself no
            longer: they serve another class, so they stay.
        cut: list of str. Layers of the backbone that lost weights.
        selected: list of str. Layers of the new backbone that drop channels
            which are still computed before them.
        parameters_before: int. Weights of backbone and head before.
        parameters: int. The same afterwards.
        notes: list of str. What else there is to know, a line each.
    """

    filters: list[int]
    classes: list[str]
    shared: list[int] = dataclasses.field(default_factory=list)
    cut: list[str] = dataclasses.field(default_factory=list)
    selected: list[str] = dataclasses.field(default_factory=list)
    parameters_before: int = 0
    parameters: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)

    def _classes(self):
        word = "class" if len(self.classes) == 1 else "classes"
        return f"the {word} {', '.join(self.classes)}"

    def lines(self) -> list[str]:
        """Returns it as lines for people."""
        removed = [
            counted(len(self.filters), "filter"),
            *([self._classes()] * bool(self.classes)),
        ]
        return [
            f"Removed {' and '.join(removed)}: {self.parameters_before:,} "
            f"parameters before, {self.parameters:,} now.",
            *self.notes,
        ]


def counted(number: int, what: str) -> str:
    """Returns `"1 filter"` or `"2 filters"`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def some_of(numbers: list[int]) -> str:
    """Returns the first of some numbers as text."""
    shown = ", ".join(map(str, numbers[:MOST_NAMED]))
    return shown + ", ..." * (len(numbers) > MOST_NAMED)
