"""How a run becomes weights that come with the package."""

import pathlib
from collections.abc import Sequence

from keras_csg.files import sha256_of, whole_file, write_json
from keras_csg.models.float32 import in_float32
from keras_csg.training.runs import Run

LOCAL = ("data_dir", "weights")
"""Options that may name a place on the machine that trained."""


def ship(
    run: Run,
    path: pathlib.Path,
    *,
    description: str,
    data: str,
    limits: Sequence[str],
    licence: str,
) -> None:
    """Writes the model of a run, without its optimizer's state, and a card.

    It computes in float32 whatever it was trained in: what pays on the machine
    of its training is slower than that on others. Figures, options and versions
    on the card are those of the run.

    Args:
        run: finished `Run`.
        path: path of the `.keras` file; the card is the `.json` beside it.
        description: see `WeightsCard`, as the others.
        data: see there.
        limits: see there.
        licence: see there.

    Raises:
        ValueError: if the run cannot be read.
    """
    model = in_float32(run.load_model())
    model.optimizer = None
    model.compiled = False
    with whole_file(path) as part:
        model.save(part)
    config = run.read_config()
    options = {
        name: None if name in LOCAL else value
        for name, value in config.options.items()
    }
    card = {
        "description": description,
        "data": data,
        "licence": licence,
        "limits": list(limits),
        "class_names": model.class_names,
        "options": options,
        "figures": run.read_metrics(),
        "versions": config.versions or {},
        "sha256": sha256_of(path),
    }
    write_json(path.with_suffix(".json"), card)
