"""Which files an export writes: planned and checked before it begins."""

import dataclasses
import os
import pathlib
from collections.abc import Collection, Iterable

from keras_csg.deployment.destinations import choose_destination
from keras_csg.deployment.formats.choosing import (
    choose_formats,
    choose_quantizations,
)
from keras_csg.deployment.formats.registry import get_format
from keras_csg.deployment.layouts import formats_of_layout
from keras_csg.files import at_home, check_folder


@dataclasses.dataclass(frozen=True)
class Target:
    """One file, or folder, to write.

    Attributes:
        path: where it goes.
        format: name of a format.
        quantize: one of `keras_csg.choices.QUANTIZATIONS`, or `None` for
            float32.
        layout: one of `keras_csg.choices.LAYOUTS`, or `None` for the file by
            itself.
        version: number of the version in a layout; `None` for the next free.
    """

    path: pathlib.Path
    format: str
    quantize: str | None = None
    layout: str | None = None
    version: int | None = None


def plan_targets(
    out: str | os.PathLike,
    formats: Collection[str] = (),
    quantize: Collection[str] = (),
    layout: str | None = None,
    name: str | None = None,
    version: int | None = None,
) -> list[Target]:
    """Returns the files that an export writes.

    Args:
        out: path of the folder they go to.
        formats: names of formats, `"all"` for those that can be written here;
            none for the layout's usual one, or ONNX.
        quantize: out of `keras_csg.choices.QUANTIZATIONS`, or `"all"`. They
            come beside the float32 file, of the formats that have them. A
            layout holds one model: the float32 one, or that of the one that is
            named.
        layout: one of `keras_csg.choices.LAYOUTS`, or `None`.
        name: of the model's folder within a layout; `None` for `"model"`.
        version: int, of a layout; `None` for the next free one.

    Returns:
        list of `Target`, in the order of the formats.

    Raises:
        ValueError: for what is unknown, or does not go together.
    """
    if name and not layout:
        raise ValueError("`name` needs `layout`: files have names of theirs.")
    if version is not None and not layout:
        raise ValueError("`version` needs `layout`: files have none.")
    out = at_home(out)
    usual = formats_of_layout(layout)[0] if layout else "onnx"
    formats = choose_formats(formats or [usual])
    if layout:
        name = "model" if name is None else name
        return [
            _target_in_layout(out, formats, quantize, layout, name, version)
        ]
    quantize = choose_quantizations(quantize, formats)
    return [
        Target(out / _file_name(format, kind), format, kind)
        for format in formats
        for kind in (None, *quantize)
        if kind is None or kind in get_format(format).quantizations
    ]


def check_targets(
    out: str | os.PathLike, targets: Iterable[Target], overwrite: bool
) -> None:
    """Refuses targets that are taken and folders that cannot be written to.

    It loads little, so that a mistake is named at once.

    Args:
        out: path of the folder, which need not exist.
        targets: some `Target`s.
        overwrite: bool. Whether what an export wrote may be replaced.

    Raises:
        ValueError: naming the path.
    """
    out = at_home(out)
    for target in targets:
        choose_destination(
            target.path.absolute(),
            get_format(target.format),
            target.layout,
            target.version,
        ).check(overwrite)
    check_folder(out)


def _file_name(format, quantize):
    """A folder is called as its format, a file `model` and what it holds."""
    suffix = get_format(format).suffix
    stem = "model" if suffix else format
    return f"{stem}-{quantize}{suffix}" if quantize else f"{stem}{suffix}"


def _target_in_layout(out, formats, quantize, layout, name, version):
    possible = formats_of_layout(layout)
    if len(formats) > 1 or formats[0] not in possible:
        raise ValueError(
            f"The layout {layout} takes one format: {' or '.join(possible)}. "
            f"Received: formats={', '.join(formats)}"
        )
    if not name or name != pathlib.Path(name).name or name.startswith("."):
        raise ValueError(
            "`name` must be the name of a folder, without a path. "
            f"Received: name={name!r}"
        )
    quantize = choose_quantizations(quantize, formats)
    if len(quantize) > 1:
        raise ValueError(
            f"The layout {layout} holds one model, so one `quantize` at most. "
            f"Received: quantize={', '.join(quantize)}"
        )
    return Target(
        out / name, formats[0], *quantize, layout=layout, version=version
    )
