"""Some of a set's classes, under other names or several as one."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras_csg.data.label_sets import renumbered
from keras_csg.data.sources.folder_layout import FolderLayout, FolderSplit
from keras_csg.data.sources.request import Request
from keras_csg.data.sources.split_names import composed
from keras_csg.printable import did_you_mean


class ClassChoice(NamedTuple):
    """What of a set's classes is taken.

    Attributes:
        class_names: list of str. The classes, in the order of their numbers.
        number_of: int array with the number of each of the set's own classes,
            -1 for those that are left out.
    """

    class_names: list[str]
    number_of: np.ndarray


def names_of(classes: str | Sequence[str] | None) -> list[str] | None:
    """Returns class names, of a list or of a str with commas.

    Raises:
        ValueError: if it names fewer than two, or one twice.
    """
    if classes is None:
        return None
    parts = classes.split(",") if isinstance(classes, str) else list(classes)
    names = [composed(str(part).strip()) for part in parts]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        raise ValueError(
            "`classes` must name two or more classes, each once. "
            f"Received: classes={classes!r}"
        )
    return names


def held_out_names(held_out: str | Sequence[str] | None) -> list[str]:
    """Returns names of classes to hold out, of a list or a str with commas.

    Raises:
        ValueError: if it names none, or one twice.
    """
    if held_out is None:
        return []
    parts = held_out.split(",") if isinstance(held_out, str) else held_out
    parts = parts if isinstance(parts, Sequence) else []
    names = [composed(str(part).strip()) for part in parts]
    if not names or len(set(names)) < len(names) or not all(names):
        raise ValueError(
            "`hold_out_classes` must name one or more classes, each once. "
            f"Received: hold_out_classes={held_out!r}"
        )
    return names


def renames_of(rename: str | Mapping[str, str] | None) -> dict[str, str]:
    """Returns new names by old ones, of a dict or of `"a=x,b=y"`.

    Raises:
        ValueError: if it is neither.
    """
    pairs = _pairs(rename)
    texts = all(isinstance(x, str) and x.strip() for p in pairs for x in p)
    found = {composed(o): composed(n) for o, n in pairs} if texts else {}
    if rename is not None and (not found or len(found) < len(pairs)):
        raise ValueError(
            "`rename_classes` must be old names, each once, and new ones, such "
            "as 'kitten=cat,puppy=dog'. Received: "
            f"rename_classes={rename!r}"
        )
    return found


def merges_of(
    merge: str | Mapping[str, Sequence[str]] | None,
) -> dict[str, str]:
    """Returns new names by old ones, of a dict of lists or of `"x=a+b"`.

    Raises:
        ValueError: if it is neither, or a class belongs to two.
    """
    pairs = [
        (new, old.split("+") if isinstance(old, str) else list(old))
        for new, old in _pairs(merge)
        if isinstance(old, str | Sequence)
    ]
    named = [(str(old).strip(), new) for new, olds in pairs for old in olds]
    whole = len(pairs) == len({new for new, _ in pairs}) and all(
        isinstance(new, str) and new and len(olds) > 1 for new, olds in pairs
    )
    found = {composed(old): composed(new) for old, new in named if old}
    if merge is not None and not (found and whole and len(found) == len(named)):
        raise ValueError(
            "`merge_classes` must be new names, and two or more old ones for "
            "each, all of them once, such as 'pet=cat+dog,farm=cow+hen'. "
            f"Received: merge_classes={merge!r}"
        )
    return found


def _pairs(value):
    """Returns the pairs of a dict or of a text `"a=b,c=d"`."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [*value.items()]
    parts = [part.partition("=") for part in str(value).split(",")]
    return [(left.strip(), right.strip()) for left, _, right in parts]


def _check_once(names, rename):
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(
            f"`rename_classes` would make several classes one, {twice[0]!r}: "
            "`merge_classes` does, such as "
            f"'{twice[0]}=...+...'. Received: rename_classes={rename!r}"
        )


def choose_classes(names: Sequence[str], request: Request) -> ClassChoice:
    """Renames and merges classes, then takes some.

    Args:
        names: the set's own classes, in the order of their numbers.
        request: `Request` with `classes`, `rename_classes`, `merge_classes`
            and `hold_out_classes`.

    Raises:
        ValueError: if a class is not there, has two new names, or fewer than
            two are left.
    """
    names = [composed(name) for name in names]
    changed = new_names(names, request)
    new = [changed.get(name, name) for name in names]
    chosen = names_of(request.classes) or list(dict.fromkeys(new))
    _check_there(chosen, new, "classes")
    chosen = _without_held_out(chosen, new, request)
    if len(chosen) < 2:
        raise ValueError(
            "Two or more classes must be left. "
            f"Received: merge_classes={request.merge_classes!r}"
        )
    numbers = {name: number for number, name in enumerate(chosen)}
    return ClassChoice(chosen, np.array([numbers.get(n, -1) for n in new]))


def _without_held_out(chosen, known, request):
    """Returns the chosen classes without those that are held out."""
    held_out = held_out_names(request.hold_out_classes)
    for name in held_out:
        if name not in known:
            raise ValueError(
                "`hold_out_classes` must name classes that there are"
                + did_you_mean(name, known)
                + f"Received: {name!r}"
            )
    left = [name for name in chosen if name not in held_out]
    if held_out and len(left) < 2:
        raise ValueError(
            "`hold_out_classes` must leave two or more classes to train on. "
            f"Received: {', '.join(held_out)} of {', '.join(chosen)}"
        )
    return left


def new_names(names: Sequence[str], request: Request) -> dict[str, str]:
    """Returns the names that `rename_classes` and `merge_classes` give.

    Args:
        names: the set's own classes.
        request: `Request`.

    Returns:
        A dict from old to new ones, of classes whose name changes.

    Raises:
        ValueError: as `choose_classes`.
    """
    renames = renames_of(request.rename_classes)
    merges = merges_of(request.merge_classes)
    _check_there(renames, names, "rename_classes")
    _check_there(merges, names, "merge_classes")
    _check_once(renames.values(), request.rename_classes)
    _check_apart(renames, merges)
    changed = {**renames, **merges}
    _check_free(changed, names)
    return changed


def choose_of_folder(layout: FolderLayout, request: Request) -> FolderLayout:
    """Returns a folder's layout with the classes that a request takes.

    Raises:
        ValueError: as `choose_classes`, and for names that are no text.
    """
    choice = choose_classes(layout.class_names, request)
    _check_text(choice.class_names)
    splits = {
        split: _taken(files, choice) for split, files in layout.splits.items()
    }
    return dataclasses.replace(
        layout, class_names=choice.class_names, splits=splits
    )


def _taken(files, choice):
    labels = renumbered(files.labels, choice.number_of)
    if labels.ndim == 2:  # What had none before stays as it is.
        kept = np.flatnonzero(labels.any(axis=1) | ~files.labels.any(axis=1))
    else:
        kept = np.flatnonzero(labels >= 0)
    return FolderSplit([files.paths[n] for n in kept], labels[kept])


def _check_text(names):
    """Refuses names that cannot be written into figures and files."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ValueError(
                "Class names must be UTF-8: rename the folder. "
                f"Received: {name!r}"
            ) from None


def _check_there(names: Iterable[str], known, argument):
    odd = sorted(set(names) - set(known))
    if odd:
        raise ValueError(
            f"`{argument}` must name classes that there are "
            f"({', '.join(sorted(set(known)))}). Received: {', '.join(odd)}"
        )


def _check_apart(renames, merges):
    both = sorted(set(renames) & set(merges))
    both += sorted(set(renames.values()) & set(merges.values()))
    if both:
        raise ValueError(
            "A class must be named in `rename_classes` or in `merge_classes`, "
            f"not in both. Received: {both[0]!r}"
        )


def _check_free(changed, names):
    """Refuses new names of classes that stay: those would become one."""
    stay = set(names) - set(changed)
    taken = sorted(stay & set(changed.values()))
    if taken:
        raise ValueError(
            "`rename_classes` and `merge_classes` must give names that no "
            f"other class has; `merge_classes` '{taken[0]}={taken[0]}+...' "
            f"adds others to it. Received: {taken[0]!r}"
        )
