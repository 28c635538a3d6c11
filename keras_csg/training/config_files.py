"""Files of options: a run's own, and those that people write."""

import dataclasses
import pathlib
import tomllib
from typing import Any

from keras_csg.files import cannot_read, check_regular
from keras_csg.untrusted.fields import (
    check_fields,
    list_of,
    optional,
    record,
    table_of,
    text,
    whole,
)
from keras_csg.untrusted.json_text import check_text_size, parse_json

EDIT = record(
    {"filters": whole(1), "filters_before": whole(1)},
    {"from": text, "classes": list_of(text)},
)
"""What `config.json` says of an edit."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What a run's `config.json` holds; a file of options has those alone.

    Attributes:
        options: dict of the options, which `TrainingOptions` checks.
        versions: dict from a package to the version that it was begun with.
        weights_sha256: str. Of the file that `options["weights"]` names.
        threads: int. How many threads it was begun with.
        edited: dict of the edit that the run is; `None` of one that was
            trained.
    """

    options: dict[str, Any]
    versions: dict[str, str] | None = optional(table_of(text))
    weights_sha256: str | None = optional(text)
    threads: int | None = optional(whole(1))
    edited: dict[str, Any] | None = optional(EDIT)

    def to_dict(self) -> dict[str, Any]:
        """Returns what the file holds, without what is not known."""
        values = {name: getattr(self, name) for name in RECORDED}
        known = {k: value for k, value in values.items() if value is not None}
        # That there are no weights is said, which is something else than not.
        return {**self.options, "weights_sha256": None, **known}

    def with_options(self, **changes: Any) -> "RunConfig":
        """Returns it with some options changed."""
        return dataclasses.replace(self, options={**self.options, **changes})


RECORDED = tuple(
    field.name
    for field in dataclasses.fields(RunConfig)
    if field.name != "options"
)
"""What stands beside the options: what a run was made with."""


def read_run_config(path: pathlib.Path) -> RunConfig:
    """Reads a run's `config.json`.

    Args:
        path: path of the file; or of one with options alone, JSON or TOML.

    Raises:
        ValueError: in one line, if it cannot be read, is neither, or a field
            beside the options is of another type, naming that.
    """
    values = _read_table(path)
    facts = {name: values.pop(name) for name in RECORDED if name in values}
    try:
        found = check_fields(RunConfig, {"options": values, **facts})
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}.") from error
    return RunConfig(**found)


def read_config(path: pathlib.Path) -> dict[str, Any]:
    """Reads the options alone; see `read_run_config`."""
    return read_run_config(path).options


def _read_table(path):
    path = pathlib.Path(path)
    try:
        check_regular(path)
        check_text_size(path.stat().st_size)
        content = path.read_bytes()
        if str(path).endswith(".toml"):
            content = content.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(cannot_read(path, error)) from error
    except ValueError as error:
        raise ValueError(f"Cannot read {path}: {error}") from error
    try:
        if str(path).endswith(".toml"):
            values = tomllib.loads(content)
        else:
            values = parse_json(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is not a JSON or .toml file: {error}"
        ) from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a table of options.")
    return values
