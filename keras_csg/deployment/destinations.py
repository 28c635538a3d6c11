"""Where an export goes: what may lie there, and what is added to it."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

from keras_csg.deployment.companions import companions
from keras_csg.deployment.formats.base import Format
from keras_csg.deployment.formats.registry import get_format
from keras_csg.deployment.layouts import (
    HIGHEST_VERSION,
    arrange,
    formats_of_layout,
    has_versions,
    place_in,
    shared_files,
    triton_labels,
    versions_in,
)
from keras_csg.deployment.metadata import LABELS_FILE, Metadata
from keras_csg.deployment.ownership import (
    is_own_model,
    require_free,
    require_own,
    require_own_companions,
    require_own_folder,
)
from keras_csg.deployment.triton_text import require_fitting_config
from keras_csg.deployment.web.edited import contents_of, keep_edited
from keras_csg.deployment.web.folder import MODEL_FILE


@dataclasses.dataclass(frozen=True)
class Destination:
    """Where the model of an export goes.

    Attributes:
        path: absolute path of a file, of a folder, or with `layout` of the
            model's folder in a server's repository.
        format: `Format`.
        layout: str or `None`.
        version: int; of a layout that has them alone.
    """

    path: pathlib.Path
    format: Format
    layout: str | None = None
    version: int | None = None

    @property
    def adds(self) -> bool:
        """Whether it is a version that joins others."""
        return self.version is not None and self.path.is_dir()

    @property
    def final(self) -> pathlib.Path:
        """Where what is built gets its name: the first of it, in a folder."""
        return self.path / str(self.version) if self.adds else self.path

    def check(self, overwrite: bool) -> None:
        """Refuses to replace what may not be.

        Args:
            overwrite: bool. Whether what an export wrote may be replaced.

        Raises:
            ValueError: naming what is in the way.
        """
        if self.layout is None or self.version is None:
            taken = [self.path, *companions(self.path)]
            if not overwrite:
                require_free(taken, "choose another path or `out`")
            if self.layout is None:
                require_own(self.path, self.format)
            else:
                require_own_folder(
                    self.path,
                    self.path / MODEL_FILE,
                    self.format,
                    contents_of(self.path),
                )
            return
        if not os.path.lexists(self.path):
            return
        _require_repository(self.path, self.layout)
        version = self.path / str(self.version)
        require_own_companions(version)
        if not os.path.lexists(version):
            return
        if not overwrite:
            require_free([version], "let `version` be another (`--version`)")
        found = format_in(version, self.layout)
        if found is None:
            raise ValueError(
                f"{version} is a version that no export wrote, so `overwrite` "
                "(`--force`) spares it: let `version` be another."
            )
        require_alone(version, self.layout, found)

    def arrange(
        self,
        stage: pathlib.Path,
        metadata: Metadata,
        shapes: dict[str, tuple],
        runtime: Mapping[str, bytes] | None = None,
    ) -> tuple[pathlib.Path, pathlib.Path, list[str]]:
        """Lays out the folder that is built, all but the model.

        Args:
            stage: path of the folder, empty.
            metadata: the model's `Metadata`.
            shapes: dict of the outputs' shapes.
            runtime: what `find_runtime` returns; for a page.

        Returns:
            A tuple of where the model goes, beside what its proof goes, and
            the names of the files that are kept as they are.

        Raises:
            ValueError: if a kept file does not fit the model.
        """
        if self.layout is None:
            return stage / self.path.name, stage / self.path.name, []
        folder = stage if self.adds else stage / self.path.name
        folder.mkdir(exist_ok=True)
        place = arrange(
            self.layout,
            self.format.name,
            folder,
            metadata,
            name=self.path.name,
            output_shapes=shapes,
            version=self.version or 1,
            runtime=runtime,
        )
        if self.version is None:
            return place, folder, keep_edited(self.path, folder)
        kept = self._keep(folder) if self.adds else []
        return place, folder / str(self.version), kept

    def _keep(self, folder):
        """Takes away what is there already, if it fits; returns other ones."""
        kept = []
        for name in shared_files(self.layout):
            new, old = folder / name, self.path / name
            if not os.path.lexists(old):
                continue
            if new.read_bytes() != old.read_bytes():
                if name == LABELS_FILE and self._is_old(old, new):
                    continue  # The new one takes its place.
                if name.endswith(".pbtxt"):
                    require_fitting_config(old, new.read_text("utf-8"))
                kept.append(name)
            new.unlink()
        return kept

    def _is_old(self, old, new):
        """Whether labels are an earlier model's, as an export wrote them.

        Servers answer with the newest version, and take labels from one file.

        Raises:
            ValueError: if a person wrote them, and for other classes.
        """
        written = {}
        for number in versions_in(self.path):
            version = self.path / str(number)
            found = format_in(version, self.layout)
            if found is not None:
                place = place_in(version, self.layout, found.name)
                known = found.read_metadata(place)
                written[number] = triton_labels(known.class_names)
        if old.read_text("utf-8", "replace") in written.values():
            return True
        if written and written[max(written)] != new.read_text("utf-8"):
            raise ValueError(
                f"{old} is kept as it is, and is of another model's classes: "
                "change it or move it away, or choose another path "
                "(`--name`)."
            )
        return False


def choose_destination(
    path: pathlib.Path,
    format: Format,
    layout: str | None = None,
    version: int | None = None,
) -> Destination:
    """Returns where an export goes, the next free version of a layout.

    Args:
        path: absolute path.
        format: `Format`.
        layout: str or `None`.
        version: int, at least 1, of a layout alone; `None` for the next free.

    Raises:
        ValueError: if `version` is out of its range or has no layout.
    """
    if layout is None:
        if version is not None:
            raise ValueError(
                f"`version` needs `layout`. Received: version={version}"
            )
        return Destination(path, format)
    if not has_versions(layout):
        if version is not None:
            raise ValueError(
                f"The layout {layout} has no versions. "
                f"Received: version={version!r}"
            )
        return Destination(path, format, layout)
    if version is None:
        version = max(versions_in(path), default=0) + 1
    whole = isinstance(version, int) and not isinstance(version, bool)
    if not whole or not 1 <= version <= HIGHEST_VERSION:
        raise ValueError(
            "`version` must be a whole number from 1 to 2**63 - 1, as servers "
            f"number versions. Received: version={version!r}"
        )
    return Destination(path, format, layout, version)


def format_in(version: pathlib.Path, layout: str) -> Format | None:
    """Returns the format of the model of ours in a version; `None` for none."""
    for name in formats_of_layout(layout):
        known = get_format(name)
        if is_own_model(place_in(version, layout, name), known):
            return known
    return None


def require_alone(version: pathlib.Path, layout: str, format: Format) -> None:
    """Refuses a version with files of others beside or in its model."""
    place = place_in(version, layout, format.name)
    require_own(place, format)
    others = [p.name for p in version.iterdir() if p != place]
    if place != version and others:
        raise ValueError(
            f"{version} has files of others in it ({', '.join(others[:3])}), "
            "so `overwrite` (`--force`) spares it: move them away, or let "
            "`version` be another."
        )


def _require_repository(path, layout):
    """Refuses a folder without a version that an export wrote."""
    ours = path.is_dir() and any(
        format_in(path / str(number), layout) for number in versions_in(path)
    )
    if not ours:
        kind = "a folder" if path.is_dir() else "a file"
        raise ValueError(
            f"{path} is {kind} that no export wrote, so nothing is put there: "
            "move it away, or choose another `name` or path."
        )
