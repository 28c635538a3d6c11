"""The folder of a page that runs a network in a browser."""

import json
import pathlib
from collections.abc import Mapping

from PIL import ImageColor

from keras_csg.deployment.metadata import METADATA_FILE, Metadata
from keras_csg.deployment.web.runtime import MODULE, SCRIPT, VERSION

MODEL_FILE = "model.onnx"
LABELS_JSON = "labels.json"
PAGE_FILE = "page.json"
PAGE = pathlib.Path(__file__).with_name("page")
"""What is the same for every network."""
RUNTIME_FOLDER = "onnxruntime"
CONTENTS = (
    MODEL_FILE,
    f"{RUNTIME_FOLDER}/*",
    *("*.html", "*.css", "*.js", "*.json", "*.svg"),
)
"""Patterns of all that is in the folder, in other versions, too."""
# Servers send .js as what a browser accepts for a script, .mjs not all.
RUNTIME_NAMES = {SCRIPT: "ort.js", MODULE: "ort.wasm"}


def write_page(
    folder: pathlib.Path,
    metadata: Metadata,
    runtime: Mapping[str, bytes],
    name: str,
) -> pathlib.Path:
    """Writes all of the folder but the model.

    Args:
        folder: path of an existing folder.
        metadata: the model's `Metadata`.
        runtime: what `find_runtime` returns.
        name: str. What the page calls the model.

    Returns:
        Path in `folder` at which the model itself belongs.
    """
    for file in PAGE.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    own = folder / RUNTIME_FOLDER
    own.mkdir()
    licence = own / "LICENSE"
    (folder / "onnxruntime-licence.txt").rename(licence)
    for file_name, data in runtime.items():
        (own / RUNTIME_NAMES[file_name]).write_bytes(data)
    _write(folder / METADATA_FILE, metadata.to_json())
    _write(folder / LABELS_JSON, json.dumps(metadata.class_names, indent=2))
    _write(folder / PAGE_FILE, json.dumps(_about(metadata, name), indent=2))
    return folder / MODEL_FILE


def _about(metadata, name):
    """Returns what the page has to know that the metadata do not say."""
    background = ImageColor.getrgb(metadata.reading.background)
    return {
        "name": name,
        "model": MODEL_FILE,
        "metadata": METADATA_FILE,
        "runtime": f"ONNX Runtime {VERSION}",
        # CSS, which knows it as text, knows fewer names of colours.
        "background": list(background[:3]),
    }


def _write(path, text):
    path.write_text(text + "\n", encoding="utf-8")
