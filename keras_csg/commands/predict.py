import os
import pathlib
from collections.abc import Iterable
from typing import Any

from keras_csg.choices import WEIGHTS_PREFIX
from keras_csg.commands.arguments import check_count, check_path, paths
from keras_csg.commands.input_error import input_errors
from keras_csg.deployment import find_model, open_exported, predict_files
from keras_csg.training.opening import open_run
from keras_csg.training.runs import Run


def predict(
    source: Any,
    images: str | os.PathLike | Iterable[str | os.PathLike],
    *,
    top: int = 3,
    heatmaps: str | os.PathLike | None = None,
) -> list[dict[str, Any]]:
    """Classifies image files, and says which filters speak for the class.

    Args:
        source: path of a run directory or of an exported file or folder;
            `weights:NAME`; `Run`; `CSGClassifier`; or what
            `keras_csg.open_exported` returns.
        images: paths of image files, or one path.
        top: int. Number of classes to name.
        heatmaps: path of a folder to draw each image in, with the heatmap of
            its predicted class over it; `None` for no pictures.

    Returns:
        A list with a dict for each image; see
        `keras_csg.deployment.predict_files`.

    Raises:
        InputError: if `source` is none of these, a file cannot be read, or an
            argument is not as described.
    """
    images = paths("images", images)
    check_count("top", top)
    check_path("heatmaps", heatmaps, optional=True)
    with input_errors():
        if isinstance(source, str | os.PathLike):
            source = open_source(source)
        return predict_files(source, images, top=top, heatmaps=heatmaps)


def open_source(path: str | os.PathLike) -> Any:
    """Returns what `predict_files` asks: a run's model or an exported one.

    Raises:
        ValueError: if `path` is neither.
    """
    check_path("source", path)
    named = isinstance(path, Run) or os.fspath(path).startswith(WEIGHTS_PREFIX)
    if named or Run(path).config_path.exists():
        return open_run(path).load_model()
    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(f"There is neither a run nor an exported file {path}.")
    if find_model(path) is None:
        raise ValueError(
            f"{path} is neither a run nor an exported model: it has no "
            "config.json, no saved_model.pb and no version of a model."
        )
    return open_exported(path)
