"""The folders in which model servers look for a model."""

PLATFORMS = {"onnx": "onnxruntime_onnx", "saved_model": "tensorflow_savedmodel"}
MODEL_FILES = {"onnx": "model.onnx", "saved_model": "model.savedmodel"}
DATA_TYPES = {
    "float32": "TYPE_FP32",
    "int32": "TYPE_INT32",
    "uint8": "TYPE_UINT8",
}
LABELLED = ("probabilities", "class_specific_probabilities")
LABELS_FILE = "labels.txt"
VERSION = "1"
# Of images put into one batch. Triton refuses a larger request, so there is
# room for a client's own batches.
MAX_BATCH_SIZE = 64
# The SavedModel's signature that has all outputs; the default one has not.
SIGNATURE = "explain"


def arrange(layout, format, folder, metadata, *, name=None, output_shapes=None):
    """Lays out the folder of a model in a server's model repository.

    Writes everything but the model.

    Args:
        layout: `"triton"` or `"tfserving"`.
        format: `"onnx"` or `"saved_model"`; for `"tfserving"` only the latter.
        folder: path of an existing folder.
        metadata: the model's `Metadata`.
        name: str. What the model is called, which must be the name of its
            folder in the end; `None` for the name that `folder` has now.
        output_shapes: optional dict from outputs to their shapes, batch axis
            included. Without it the sizes that `metadata` does not tell are
            left open.

    Returns:
        Path inside `folder` at which the model itself belongs.

    Raises:
        ValueError: if there is no such layout, or it cannot hold the format.
    """
    if layout not in _ARRANGERS:
        raise ValueError(
            f"`layout` must be one of {', '.join(_ARRANGERS)}. "
            f"Received: layout={layout!r}"
        )
    arranger, formats = _ARRANGERS[layout]
    if format not in formats:
        raise ValueError(
            f"The layout {layout} is for models in the format "
            f"{' or '.join(formats)}. Received: format={format!r}"
        )
    return arranger(
        format, folder, metadata, name or folder.name, output_shapes or {}
    )


def triton_config(format, metadata, name, output_shapes=None):
    """Describes a model for Triton.

    Args:
        format: `"onnx"` or `"saved_model"`.
        metadata: the model's `Metadata`.
        name: str. What the model is called.
        output_shapes: see `arrange`.

    Returns:
        str, the text of a `config.pbtxt`.
    """
    shapes = _known_shapes(metadata) | dict(output_shapes or {})
    images = metadata.input
    lines = [
        f"name: {_quoted(name)}",
        f"platform: {_quoted(PLATFORMS[format])}",
        f"max_batch_size: {MAX_BATCH_SIZE}",
        "# Joins the requests that wait while the model is busy.",
        "dynamic_batching { }",
        *_tensor("input", images["name"], images["dtype"], images["shape"]),
    ]
    for output in metadata.outputs:
        dtype = "int32" if output == "class_id" else "float32"
        lines += _tensor("output", output, dtype, shapes[output])
    if format == "saved_model":
        lines += [
            "parameters {",
            '  key: "TF_SIGNATURE_DEF"',
            f"  value {{ string_value: {_quoted(SIGNATURE)} }}",
            "}",
        ]
    return "\n".join(lines) + "\n"


def _arrange_triton(format, folder, metadata, name, output_shapes):
    config = triton_config(format, metadata, name, output_shapes)
    (folder / "config.pbtxt").write_text(config, encoding="utf-8")
    # One label a line, whatever a class is called.
    labels = [" ".join(label.split()) for label in metadata.class_names]
    (folder / LABELS_FILE).write_text(
        "".join(f"{label}\n" for label in labels), encoding="utf-8"
    )
    version = folder / VERSION
    version.mkdir()
    return version / MODEL_FILES[format]


def _arrange_tfserving(format, folder, metadata, name, output_shapes):
    """Names the version: TensorFlow Serving reads the rest off the model."""
    return folder / VERSION


_ARRANGERS = {
    "triton": (_arrange_triton, tuple(PLATFORMS)),
    "tfserving": (_arrange_tfserving, ("saved_model",)),
}


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
        "heatmap": (None, None, None),
        "gate_agreement": (None,),
    }


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
