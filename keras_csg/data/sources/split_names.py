"""What folders are called that hold the splits of a data set."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

NONE = "none"
"""Says that the folders are classes, whatever their names look like."""

_WORDS = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "validation": "validation",
    "validate": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "eval": "validation",
    "evaluation": "validation",
    "test": "test",
    "testing": "test",
    "tst": "test",
}
# What stands beside them and tells nothing: `seg_train`, `training_set`.
_FILLERS = {
    *("set", "sets", "seg", "split", "data", "dataset", "folder", "dir"),
    *("image", "images", "img", "imgs", "photos", "pictures", "classes"),
}


def named_for(split: str, names: Iterable[str]) -> str | None:
    """Returns which of the names speaks of a split, the plain one first.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        names: what the splits of a data set are called.
    """
    found = [name for name in names if split_of(name) == split]
    return min(found, key=lambda name: (name != split, name), default=None)


def composed(name: str) -> str:
    """Returns a name in one form of Unicode: macOS writes another.

    There `café` has an e and an accent, elsewhere one letter; to a user both
    are the same folder.
    """
    return unicodedata.normalize("NFC", name)


def as_on_disk(path: Path) -> Path:
    """Returns a path in the other form of Unicode, where that is there."""
    other = Path(unicodedata.normalize("NFD", str(path)))
    return other if other.exists() and not path.exists() else path


def split_of(name: str) -> str | None:
    """Returns the split that a folder's name speaks of, `None` for others.

    Example:
    >>> [split_of(name) for name in ("Training", "seg_test", "trainset", "cat")]
    ['train', 'test', 'train', None]
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[a-z]+", spaced.lower())
    found = [word for word in words if word not in _FILLERS]
    if len(found) != 1 or re.search(r"\d", name):
        return None
    # `trainset`, `testdata`: in one word.
    word = found[0]
    fillers = "|".join(sorted(_FILLERS, key=len, reverse=True))
    return _WORDS.get(word) or _WORDS.get(re.sub(f"(?:{fillers})$", "", word))


def parse_splits(splits: str | Mapping[str, str] | None) -> dict[str, str]:
    """Returns the folder of each split, as a user said it.

    Args:
        splits: `"train=Training,test=Testing"`, a dict of the same, or `None`.

    Returns:
        dict from `"train"`, `"validation"` and `"test"` to names of folders.

    Raises:
        ValueError: if it is neither, or names no folder to train on.
    """
    if splits is None:
        return {}
    pairs = splits.items() if isinstance(splits, Mapping) else _pairs(splits)
    found: dict[str, str] = {}
    for split, folder in pairs:
        known = split_of(str(split).strip())
        if known is None or known in found or not str(folder).strip():
            raise _refused(splits)
        found[known] = str(folder).strip()
    if "train" not in found:
        raise _refused(splits)
    return found


def _pairs(text):
    if not isinstance(text, str):
        raise _refused(text)
    parts = [part.partition("=") for part in text.split(",")]
    return [(split, folder) for split, _, folder in parts]


def _refused(splits):
    return ValueError(
        "`splits` must name the folder of train and, where there are, of "
        "validation and test, such as 'train=Training,test=Testing', or be "
        f"'none' where the folders are classes. Received: splits={splits!r}"
    )
