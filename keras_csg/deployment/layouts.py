"""The folders in which model servers, and browsers, look for a model."""

import pathlib
from collections.abc import Iterator, Mapping

from keras_csg.choices import LAYOUTS
from keras_csg.deployment.formats.registry import get_format, list_formats
from keras_csg.deployment.graph.outputs import DTYPES
from keras_csg.deployment.metadata import LABELS_FILE, Metadata, labels_text
from keras_csg.deployment.web.edited import note_written
from keras_csg.deployment.web.folder import write_page

DATA_TYPES = {
    "float32": "TYPE_FP32",
    "int32": "TYPE_INT32",
    "uint8": "TYPE_UINT8",
    "bool": "TYPE_BOOL",
}
Shapes = Mapping[str, tuple[int | None, ...]]
LABELLED = ("probabilities", "class_specific_probabilities")
# Of images put into one batch. Triton refuses a larger request, so there is
# room for a client's own batches.
MAX_BATCH_SIZE = 64
# A batch of one of these sizes begins at once. Another one waits a little for
# what would fill it up: far less than a batch takes to compute.
PREFERRED_BATCH_SIZES = (16, 32, 64)
QUEUE_DELAY_MICROSECONDS = 500
# Copies of the model on each GPU, or on the CPU where there is none: one keeps
# either busy, each further one takes its memory again.
INSTANCES = 1
# What the model computes before it is ready: the first batch of a size takes
# longest, since the runtime chooses how to compute it.
WARM_UP_BATCH_SIZES = (1, PREFERRED_BATCH_SIZES[-1])
# Side of these images for a model that takes any size.
WARM_UP_SIDE = 224
# Servers number versions in 64 bits.
HIGHEST_VERSION = 2**63 - 1


def formats_of_layout(layout: str) -> list[str]:
    """Returns the names of the formats a layout can hold, the usual one first.

    Raises:
        ValueError: if there is no such layout.
    """
    if layout not in LAYOUTS:
        raise ValueError(
            f"`layout` must be one of {', '.join(LAYOUTS)}. "
            f"Received: layout={layout!r}"
        )
    usual = LAYOUTS[layout]
    added = [
        name
        for name in list_formats()
        if layout in get_format(name).in_layouts and name not in usual
    ]
    return [*usual, *added]


def arrange(
    layout: str,
    format: str,
    folder: pathlib.Path,
    metadata: Metadata,
    *,
    name: str | None = None,
    output_shapes: Shapes | None = None,
    version: int = 1,
    runtime: Mapping[str, bytes] | None = None,
) -> pathlib.Path:
    """Lays out the folder of a model for a server, or for a browser.

    Writes everything but the model.

    Args:
        layout: `"triton"`, `"tfserving"` or `"web"`.
        format: str, one of `formats_of_layout(layout)`.
        folder: path of an existing folder.
        metadata: the model's `Metadata`.
        name: str. What the model is called, which must be the name of its
            folder in the end; `None` for the name that `folder` has now.
        output_shapes: optional dict from outputs to their shapes, batch axis
            included. Without it the sizes that `metadata` does not tell are
            left open.
        version: int, at least 1. Number of the model's version.
        runtime: what `find_runtime` returns; for `"web"`.

    Returns:
        Path inside `folder` at which the model itself belongs.

    Raises:
        ValueError: if there is no such layout, or it cannot hold the format.
    """
    possible = formats_of_layout(layout)
    if format not in possible:
        raise ValueError(
            f"The layout {layout} is for models in the format "
            f"{' or '.join(possible)}. Received: format={format!r}"
        )
    name = name or folder.name
    if layout == "web":
        place = write_page(folder, metadata, runtime or {}, name)
        note_written(folder)
        return place
    if layout == "triton":
        _write_triton_files(format, folder, metadata, name, output_shapes)
    place = place_in(folder / str(version), layout, format)
    place.parent.mkdir(exist_ok=True)
    return place


def place_in(version: pathlib.Path, layout: str, format: str) -> pathlib.Path:
    """Returns where a model lies within the folder of its version."""
    return version / get_format(format).in_layouts[layout]


def has_versions(layout: str) -> bool:
    """Whether a layout keeps several versions of a model beside each other."""
    return layout != "web"


def versions_in(folder: pathlib.Path) -> list[int]:
    """Returns the numbers of the versions in a model's folder, ascending."""
    if not folder.is_dir():
        return []
    names = [part.name for part in folder.iterdir()]
    numbers = [int(n) for n in names if n.isascii() and n.isdecimal()]
    return sorted(n for n in numbers if n <= HIGHEST_VERSION)


def shared_files(layout: str) -> tuple[str, ...]:
    """Returns the names of the files that a model's versions have in common."""
    return ("config.pbtxt", LABELS_FILE) if layout == "triton" else ()


def triton_labels(class_names: list[str]) -> str:
    """Returns Triton's labels: one a line, whatever a class is called."""
    return labels_text([" ".join(name.split()) for name in class_names])


def places_in_version() -> Iterator[str]:
    """Yields where a model may lie in the folder of its version."""
    for layout in filter(has_versions, LAYOUTS):
        for name in formats_of_layout(layout):
            yield get_format(name).in_layouts[layout]


def triton_config(
    format: str,
    metadata: Metadata,
    name: str,
    output_shapes: Shapes | None = None,
) -> str:
    """Describes a model for Triton.

    Args:
        format: str, one of `formats_of_layout("triton")`.
        metadata: the model's `Metadata`.
        name: str. What the model is called.
        output_shapes: see `arrange`.

    Returns:
        str, the text of a `config.pbtxt`.
    """
    served = get_format(format)
    shapes = _known_shapes(metadata) | dict(output_shapes or {})
    images = metadata.input
    lines = [
        f"name: {_quoted(name)}",
        f"platform: {_quoted(served.triton_platform)}",
        f"max_batch_size: {MAX_BATCH_SIZE}",
        "# Joins the requests that wait while the model is busy.",
        "dynamic_batching {",
        f"  preferred_batch_size: {list(PREFERRED_BATCH_SIZES)}",
        f"  max_queue_delay_microseconds: {QUEUE_DELAY_MICROSECONDS}",
        "}",
        f"instance_group {{ count: {INSTANCES} kind: KIND_AUTO }}",
        *_warm_ups(images),
        *_tensor("input", images["name"], images["dtype"], images["shape"]),
    ]
    for output in metadata.outputs:
        dtype = DTYPES.get(output, "float32")
        lines += _tensor("output", output, dtype, shapes[output])
    for key, value in served.triton_parameters.items():
        lines += [
            "parameters {",
            f"  key: {_quoted(key)}",
            f"  value {{ string_value: {_quoted(value)} }}",
            "}",
        ]
    return "\n".join(lines) + "\n"


def _write_triton_files(format, folder, metadata, name, output_shapes):
    config = triton_config(format, metadata, name, output_shapes)
    (folder / "config.pbtxt").write_text(config, encoding="utf-8")
    labels = triton_labels(metadata.class_names)
    (folder / LABELS_FILE).write_text(labels, encoding="utf-8")


def _known_shapes(metadata):
    """Returns the outputs' shapes as far as the metadata tell them."""
    classes = len(metadata.class_names)
    filters = None
    if metadata.gate_matrix is not None:
        filters = metadata.gate_matrix.shape[1]
    return {
        "probabilities": (None, classes),
        "class_id": (None,),
        "class_specific_probabilities": (None, classes),
        "filter_contributions": (None, filters),
        "evidence": (None,),
        "heatmap": (None, None, None),
        "gate_agreement": (None,),
        "anomaly_score": (None,),
        "known": (None,),
    }


def _warm_ups(images):
    """Returns the lines that let the model compute before it is ready."""
    dims = [int(size or WARM_UP_SIDE) for size in images["shape"][1:]]
    return [
        line
        for size in WARM_UP_BATCH_SIZES
        for line in (
            "model_warmup {",
            f'  name: "zeros-{size}"',
            f"  batch_size: {size}",
            "  inputs {",
            f"    key: {_quoted(images['name'])}",
            "    value {",
            f"      data_type: {DATA_TYPES[images['dtype']]}",
            f"      dims: {dims}",
            "      zero_data: true",
            "    }",
            "  }",
            "}",
        )
    ]


def _tensor(kind, name, dtype, shape):
    """Returns the lines that describe a tensor of shape `(batch, ...)`."""
    dims = [-1 if size is None else int(size) for size in shape[1:]]
    lines = [
        f"{kind} {{",
        f"  name: {_quoted(name)}",
        f"  data_type: {DATA_TYPES[dtype]}",
        f"  dims: {dims or [1]}",
    ]
    if not dims:
        # Triton's tensors have an axis besides the batch's: clients get
        # (batch, 1) of what the model gives as (batch,).
        lines.append("  reshape { shape: [ ] }")
    if name in LABELLED:
        lines.append(f"  label_filename: {_quoted(LABELS_FILE)}")
    return [*lines, "}"]


def _quoted(text):
    """Returns the text as a string literal of protobuf's text format."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n") + '"'
