import dataclasses
import os

SHOWN = 3
"""How many names of layers a line has, at most."""


@dataclasses.dataclass(frozen=True)
class WeightsReport:
    """Which weights a backbone was given, and which not; `str()` is a line.

    Args:
        backbone: str. Name of the backbone.
        loaded: tuple of str. Layers whose weights were loaded.
        arrays: int. Number of arrays in those layers.
        missing: tuple of str. New layers: those that `filters` adds.
        missing_arrays: int. Number of arrays in those.
        unused: tuple of str. Layers with weights in the source that were not
            taken: the head, the gate, and what lies behind `gate_at`.
        source: str. What was asked for: the absolute path of a file or a run,
            or a name.
        parts: tuple of str. Parts of the classifier that were loaded beside
            its backbone: `"head"`, `"gate"`.
        sha256: str or None. Of the file, in hexadecimal; of `model.keras` for a
            run. `None` for weights by name that are no file.
    """

    backbone: str
    loaded: tuple[str, ...]
    arrays: int
    missing: tuple[str, ...]
    missing_arrays: int
    unused: tuple[str, ...]
    source: str
    sha256: str | None = None
    parts: tuple[str, ...] = ()

    @property
    def path(self) -> str | None:
        """The absolute path of the file or the run, `None` for a name."""
        return self.source if os.path.isabs(self.source) else None

    def __str__(self) -> str:
        total = self.arrays + self.missing_arrays
        where = f" (sha256 {self.sha256[:12]}...)" if self.sha256 else ""
        new = f"; new: {_shortened(self.missing)}" if self.missing else ""
        beside = f"; {' and '.join(self.parts)} too" if self.parts else ""
        left = f"; not taken: {_shortened(self.unused)}" if self.unused else ""
        return (
            f"Loaded {self.arrays} of {total} arrays of {self.backbone} from "
            f"{self.source}{where}{beside}{new}{left}"
        )


def _shortened(names):
    shown = ", ".join(names[:SHOWN])
    more = len(names) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
