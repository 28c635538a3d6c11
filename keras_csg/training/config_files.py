"""Files of options: a run's own, and those that people write."""

import json
import pathlib
import tomllib

from keras_csg.files import check_regular

# What a run's own file says beside the options: what it was made with.
EDITED = "edited"
RECORDED = ("versions", "weights_sha256", "threads", EDITED)


def read_config(path: pathlib.Path) -> dict:
    """Reads options from a JSON or TOML file, or from a run's `config.json`.

    Raises:
        ValueError: if the file is neither or holds no table.
    """
    values = _read_table(path)
    return {key: v for key, v in values.items() if key not in RECORDED}


def read_versions(path: pathlib.Path) -> dict[str, str]:
    """Reads what a run was made with from its `config.json`.

    Raises:
        ValueError: if the file holds no table.
    """
    versions = _read_table(path).get("versions")
    return versions if isinstance(versions, dict) else {}


def read_threads(path: pathlib.Path) -> int | None:
    """Reads how many threads a run was begun with from its `config.json`.

    Raises:
        ValueError: if the file holds no table.
    """
    threads = _read_table(path).get("threads")
    return threads if isinstance(threads, int) else None


def _read_table(path):
    try:
        check_regular(path)
        text = pathlib.Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"Cannot read the file {path}: {error}") from error
    try:
        if str(path).endswith(".toml"):
            values = tomllib.loads(text)
        else:
            values = json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"{path} is not a JSON or .toml file: {error}"
        ) from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a table of options.")
    return values
