"""Executes the notebooks of docs/tutorials and keeps what they print.

    python tools/run_tutorials.py                     # all, in their order
    python tools/run_tutorials.py 3_filters           # those that are named
    python tools/run_tutorials.py --check 1_photographs  # writes nothing

Each runs in an empty folder of its own and is written back whole, or not at
all: a cell that fails is named, and the notebook stays as it was. What changes
by itself from one run to the next (ids, times, versions) is not kept, and
pictures are kept with 256 colours and no wider than a page.
"""

import argparse
import base64
import io
import os
import pathlib
import re
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "tutorials"
SECONDS = 600
"""What a notebook may take: two minutes, on processors with other work too."""
WIDTHS = (1000, 850, 700, 550)
MOST_BYTES = 75_000
# Lines of TensorFlow and JAX about the machine, which no option silences.
OF_LIBRARIES = re.compile(
    r"^(WARNING: All log messages before absl.*|[IWE]\d{4} .*"
    r"|WARNING:tensorflow:.* triggered tf\.function retracing.*)\n?",
    re.MULTILINE,
)
KEPT = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


class Failed(Exception):
    """A notebook did not run as it should; says where, and why."""


def notebooks():
    """Returns the paths of all tutorials, in their order."""
    return sorted(FOLDER.glob("*.ipynb"))


def execute(path, folder, seconds=SECONDS):
    """Runs all cells of a notebook; returns it with what they print.

    Args:
        path: `pathlib.Path` of the notebook, which is left as it is.
        folder: Where it runs.
        seconds: What it may take.

    Raises:
        Failed: A cell failed, or took too long.
    """
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    start = time.monotonic()
    try:
        client.execute(env=environment())
    except nbclient.exceptions.CellTimeoutError as error:
        raise Failed(f"{path.name}: no answer in {seconds} s.") from error
    except nbclient.exceptions.CellExecutionError as error:
        number, source = failed_cell(notebook)
        raise Failed(
            f"{path.name}: cell {number} failed with {error.ename}: "
            f"{error.evalue}\n{source}"
        ) from error
    if time.monotonic() - start > seconds:
        raise Failed(f"{path.name}: took more than {seconds} s.")
    return notebook


def environment():
    """Returns the variables that a notebook runs with: this tree, quiet."""
    path = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    )
    return {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}


def failed_cell(notebook):
    """Returns number and source of the first cell that printed an error."""
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return number, cell.source
    return 0, ""


def tidy(notebook):
    """Takes out of a notebook what changes by itself, in place.

    Raises:
        Failed: A cell wrote to the standard error, as warnings do.
    """
    notebook.metadata = KEPT
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = {
            key: cell.metadata[key] for key in ("tags",) if key in cell.metadata
        }
        if cell.cell_type == "code":
            cell.outputs = _tidy_outputs(cell.outputs, number)


def _tidy_outputs(outputs, number):
    kept = []
    for output in outputs:
        if output.output_type == "stream":
            text = OF_LIBRARIES.sub("", output.text)
            if output.name == "stderr" and text.strip():
                raise Failed(f"cell {number} warns:\n{text}")
            if not text.strip():
                continue
            output.text = text
            if kept and kept[-1].get("name") == output.name:
                kept[-1].text += text  # However it came in pieces.
                continue
        if "image/png" in output.get("data", {}):
            # The text in its place names an address in memory.
            output.data = {"image/png": small(output.data["image/png"])}
            output.metadata = {}
        kept.append(output)
    return kept


def small(picture):
    """Returns a PNG, as base64, with few colours and as wide as it may be."""
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    for width in WIDTHS:
        image.thumbnail((width, 10 * width))
        stream = io.BytesIO()
        few = image.quantize(256, dither=Image.Dither.NONE)
        few.save(stream, "PNG", optimize=True)
        if len(stream.getvalue()) <= MOST_BYTES:
            return base64.b64encode(stream.getvalue()).decode("ascii")
    raise Failed(f"a picture of more than {MOST_BYTES:,} bytes, drawn small")


def run(path, check=False):
    """Executes a notebook and writes it back, unless it is to be checked."""
    import nbformat

    with tempfile.TemporaryDirectory() as folder:
        notebook = execute(path, folder)
    tidy(notebook)
    if not check:
        nbformat.validate(notebook)
        whole = path.with_suffix(".part")
        nbformat.write(notebook, whole)
        whole.replace(path)


def main(args=None):
    """Runs what is named; returns 1 if one fails, which a line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="all unless some are named")
    parser.add_argument("--check", action="store_true", help="write nothing")
    asked = parser.parse_args(args)
    known = {path.stem: path for path in notebooks()}
    unknown = sorted(set(asked.names) - set(known))
    if unknown:
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(known)}")
    failures = 0
    for name in asked.names or known:
        start = time.monotonic()
        try:
            run(known[name], asked.check)
            print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
        except Failed as error:
            failures += 1
            print(f"{name}: {error}", file=sys.stderr, flush=True)
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
