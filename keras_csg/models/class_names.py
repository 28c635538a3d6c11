import difflib
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING

from keras_csg.models.arguments import checked_names

if TYPE_CHECKING:
    from keras_csg.models.classifier import CSGClassifier


def class_names_of(model: "CSGClassifier") -> list[str]:
    """Returns the names of a model's classes: their numbers if it has none.

    Raises:
        ValueError: if somebody has set others than `build` takes.
    """
    names = checked_names(model.class_names, model.num_classes)
    return names or [str(c) for c in range(model.num_classes)]


def check_named(class_names: Sequence[str | bytes] | None) -> None:
    """Refuses a class that a new model is to have without a name.

    What was saved with one is still loaded.

    Raises:
        ValueError: naming its number.
    """
    for number, name in enumerate(class_names or ()):
        if isinstance(name, str | bytes) and not name.strip():
            raise ValueError(
                "`class_names` must have a name for each class, which is not "
                f"empty. Received: {name!r} for class {number}"
            )


def class_number(names: Sequence[str], given: str | int) -> int:
    """Returns the number of a class that somebody names.

    Args:
        names: list of str, in the order of the logits.
        given: str, a name out of them; or int, its number.

    Raises:
        ValueError: if there is no such class, with the nearest names.
    """
    if isinstance(given, str) and given in names:
        return list(names).index(given)
    if isinstance(given, Integral) and not isinstance(given, bool):
        if 0 <= given < len(names):
            return int(given)
        raise ValueError(
            f"There is no class {given}: their numbers are 0 to "
            f"{len(names) - 1}."
        )
    near = difflib.get_close_matches(str(given), names, n=3, cutoff=0)
    if any("," in name or name != name.strip() for name in near):
        near = [repr(name) for name in near]
    raise ValueError(
        f"There is no class {given!r}; the nearest are {', '.join(near)}."
    )
