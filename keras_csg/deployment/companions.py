"""What lies beside an exported model, and belongs to it."""

import pathlib

PROOF, LABELS, METADATA = ".proof.json", ".labels.json", ".json"
"""What is added to the name of an exported model for what lies beside it."""


def beside(path: pathlib.Path, ending: str) -> pathlib.Path:
    """Returns where what belongs to an exported model lies: beside it."""
    return path.with_name(f"{path.name}{ending}")


def companions(path: pathlib.Path) -> list[pathlib.Path]:
    """Returns where all that belongs to an exported model may lie."""
    return [beside(path, ending) for ending in (PROOF, LABELS, METADATA)]
