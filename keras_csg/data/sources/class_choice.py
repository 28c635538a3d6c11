"""Some of a folder's classes, or several as one."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from keras_csg.data.sources.folder_layout import FolderLayout, FolderSplit
from keras_csg.data.sources.split_names import composed


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


def renames_of(rename: str | Mapping[str, str] | None) -> dict[str, str]:
    """Returns new names by old ones, of a dict or of `"a=x,b=x"`.

    Raises:
        ValueError: if it is neither.
    """
    if rename is None:
        return {}
    if isinstance(rename, Mapping):
        pairs = [*rename.items()]
    else:
        parts = [part.partition("=") for part in str(rename).split(",")]
        pairs = [(old.strip(), new.strip()) for old, _, new in parts]
    texts = all(
        isinstance(x, str) and x.strip() for pair in pairs for x in pair
    )
    found = texts and {composed(old): composed(new) for old, new in pairs}
    if not found or len(found) < len(pairs):
        raise ValueError(
            "`rename_classes` must be old names, each once, and new ones, such "
            "as 'kitten=cat,puppy=dog'. Received: "
            f"rename_classes={rename!r}"
        )
    return found


def choose_classes(
    layout: FolderLayout,
    classes: str | Sequence[str] | None,
    rename: str | Mapping[str, str] | None,
) -> FolderLayout:
    """Renames classes, of which several may become one, then takes some.

    Args:
        layout: `FolderLayout`.
        classes: see `names_of`; `None` for all, in the order of their names.
        rename: see `renames_of`.

    Raises:
        ValueError: if a class is not there.
    """
    renames = renames_of(rename)
    _check_there(renames, layout.class_names, "rename_classes")
    new = [renames.get(name, name) for name in layout.class_names]
    chosen = names_of(classes) or sorted(set(new))
    _check_there(chosen, new, "classes")
    if len(chosen) < 2:
        raise ValueError(
            "Two or more classes must be left. "
            f"Received: rename_classes={rename!r}"
        )
    _check_text(chosen)
    numbers = {name: number for number, name in enumerate(chosen)}
    label_of = np.array([numbers.get(name, -1) for name in new])
    splits = {
        split: _taken(files, label_of) for split, files in layout.splits.items()
    }
    return dataclasses.replace(layout, class_names=chosen, splits=splits)


def _taken(files, label_of):
    labels = label_of[files.labels]
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


def _check_there(names, known, argument):
    odd = sorted(set(names) - set(known))
    if odd:
        raise ValueError(
            f"`{argument}` must name classes that there are "
            f"({', '.join(sorted(set(known)))}). Received: {', '.join(odd)}"
        )
