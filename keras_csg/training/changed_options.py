"""Options that a run was begun with, and others that it must not go on with."""

import json
import os
from collections.abc import Mapping
from typing import Any

from keras_csg.arguments import height_and_width
from keras_csg.choices import OF_THE_MACHINE, WEIGHTS_PREFIX
from keras_csg.training.options import PATHS, TrainingOptions
from keras_csg.training.runs import Run

MAY_CHANGE = (
    "`resume` may change `epochs`, to more of them, and "
    + ", ".join(f"`{name}`" for name in OF_THE_MACHINE[:-1])
    + f" and `{OF_THE_MACHINE[-1]}`"
)
WHERE_DATA_ARE = ("data", "data_dir", "labels")
LONGEST = 80
"""Characters of a value that are shown."""


def check_given(run: Run, given: Mapping[str, Any]) -> None:
    """Refuses options other than those that a run was begun with.

    Those that it may change are left to others, as are those that are `None`.

    Args:
        run: `Run`.
        given: dict of options.

    Raises:
        ValueError: naming what differs, or for what is no option.
    """
    known = run.options.to_dict()
    given = {k: v for k, v in given.items() if v is not None}
    asked = TrainingOptions.from_dict({**known, **given}).to_dict()
    names = [
        name
        for name in given
        if name not in (*OF_THE_MACHINE, "epochs")
        and not _same(name, known, asked[name])
    ]
    if not names:
        return
    raise ValueError(
        f"{run.path} was begun with {_values(names, known)}. "
        f"Received: {_values(names, asked)}; leave out "
        f"{', '.join(f'`{name}`' for name in names)}, or start another run. "
        f"{MAY_CHANGE}."
    )


def check_unedited(run: Run, recorded: Mapping[str, Any], source: str) -> None:
    """Refuses to go on with options that were edited in `config.json`.

    Args:
        run: `Run`.
        recorded: dict of the options that it was trained with.
        source: str. What recorded them.

    Raises:
        ValueError: naming what differs.
    """
    now = run.options.to_dict()
    names = edited_names(run, recorded)
    if not names:
        return
    moved = "data" in names or "labels" in names
    hint = ", or say where the data are now with `data_dir`" if moved else ""
    raise ValueError(
        f"{run.config_path} was edited: it says {_values(names, now)}, and "
        f"{source} says {_values(names, recorded)}. Put that back{hint}, or "
        f"start another run. {MAY_CHANGE}."
    )


def edited_names(run: Run, recorded: Mapping[str, Any]) -> list[str]:
    """Returns the options whose values in `config.json` are not the recorded.

    But for those of the machine, and more epochs.

    Args:
        run: `Run`.
        recorded: dict of the options that it was trained with.
    """
    now = json.loads(json.dumps(run.options.to_dict()))
    names = [
        name
        for name, value in recorded.items()
        if name in now
        and name not in OF_THE_MACHINE
        and now[name] != json.loads(json.dumps(value))
    ]
    before, after = recorded.get("epochs"), now["epochs"]
    if "epochs" in names and before and after and after > before:
        names.remove("epochs")
        if "time_budget" in names and now["time_budget"] is None:
            names.remove("time_budget")
    return names


def say_edits(run: Run) -> str | None:
    """Returns a line on options in `config.json` that a run had otherwise.

    Where its data are may be edited; the rest changes what is read and built.

    Args:
        run: finished `Run`.
    """
    record = run.read_record()
    if record is None:
        return None
    names = [
        name
        for name in edited_names(run, record.options)
        if name not in WHERE_DATA_ARE
    ]
    if not names:
        return None
    now = run.options.to_dict()
    return (
        f"{run.config_path} was edited: it says {_values(names, now)}, and "
        f"the run was trained with {_values(names, record.options)}."
    )


def _same(name, known, now):
    """Whether an option that is given means what a run was begun with."""
    was = known[name]
    if was == now and isinstance(was, bool) == isinstance(now, bool):
        return True
    if name == "precision":
        return now == "auto"  # It was chosen at the start.
    if name == "image_size" and None not in (was, now):
        return height_and_width(was) == height_and_width(now)
    if name == "weights" and str(was).startswith(WEIGHTS_PREFIX):
        return was == f"{WEIGHTS_PREFIX}{now}"
    if name == "labels" and _path(os.path.join(known["data"], now)) == was:
        return True
    texts = isinstance(was, str) and isinstance(now, str)
    if name in (*PATHS, "backbone") and texts:
        return _path(now) == _path(was)
    return False


def _path(text):
    return os.path.abspath(os.path.expanduser(text))


def _values(names, values):
    return ", ".join(
        f"{name}={_short(values.get(name))}" for name in sorted(names)
    )


def _short(value):
    text = repr(value)
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2  # Of a path, the end tells most.
    return f"{text[:half]}...{text[-half:]}"
