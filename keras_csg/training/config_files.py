"""Files of options: a run's own, and those that people write."""

import pathlib
import tomllib

from keras_csg.files import check_regular
from keras_csg.untrusted.json_text import check_text_size, parse_json

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


def read_all(path: pathlib.Path) -> dict:
    """Reads all of a run's `config.json`, beside the options too.

    Raises:
        ValueError: if the file holds no table.
    """
    return _read_table(path)


def _read_table(path):
    path = pathlib.Path(path)
    try:
        check_regular(path)
        check_text_size(path.stat().st_size)
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ValueError(f"Cannot read the file {path}: {error}") from error
    try:
        if str(path).endswith(".toml"):
            values = tomllib.loads(text)
        else:
            values = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is not a JSON or .toml file: {error}"
        ) from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a table of options.")
    return values
