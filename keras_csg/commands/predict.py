import glob
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from keras_csg.arguments import MOST
from keras_csg.choices import MOST_PIXELS, WEIGHTS_PREFIX
from keras_csg.commands.arguments import (
    check_count,
    check_flag,
    check_path,
    paths,
)
from keras_csg.commands.drawn_pictures import is_drawn
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.data.sources.folder_walk import PassedOver, Walker
from keras_csg.deployment import (
    find_model,
    open_exported,
    predict_each,
    predict_files,
)
from keras_csg.deployment.formats.registry import find_format_at
from keras_csg.deployment.opening import name_models_in
from keras_csg.files import at_home


def predict(
    source: Any,
    images: str | os.PathLike | Iterable[str | os.PathLike],
    *,
    top: int = 3,
    heatmaps: str | os.PathLike | None = None,
    max_pixels: int = MOST_PIXELS,
    trust: bool = False,
) -> list[dict[str, Any]]:
    """Classifies image files, and says which filters speak for the class.

    With a detector, that of an exported file or the one that was saved with a
    run, it says as well whether it knows what they show.

    Args:
        source: path of a run directory, of a `.keras` file, or of an exported
            file or folder; `weights:NAME`; `Run`; `CSGClassifier`; or what
            `keras_csg.open_exported` returns.
        images: paths of image files, of folders of them, or patterns such as
            `"photos/*.jpg"`; or one of these.
        top: int. Number of classes to name.
        heatmaps: path of a folder to draw each image in, with the heatmap of
            its predicted class over it; `None` for no pictures.
        max_pixels: int, at least 1. Files with more are not decoded: each
            takes four to eight bytes of memory for every pixel.
        trust: bool. Whether an exported file may have operations that no
            export needs; see `keras_csg.open_exported`.

    Returns:
        A list with a dict for each image; see
        `keras_csg.deployment.predict_each`.

    Raises:
        InputError: if `source` is none of these, a file cannot be read, or an
            argument is not as described.
    """
    files, asked = _checked(source, images, top, heatmaps, max_pixels, trust)
    with input_errors():
        return predict_files(paths=files, **asked)


def predict_images(
    source: Any,
    images: str | os.PathLike | Iterable[str | os.PathLike],
    *,
    top: int = 3,
    heatmaps: str | os.PathLike | None = None,
    max_pixels: int = MOST_PIXELS,
    trust: bool = False,
) -> tuple[int, Iterator[dict[str, Any]]]:
    """Classifies image files one after the other, past those that are broken.

    For more of them than fit into memory: `write_predictions` writes what
    comes.

    Args:
        source: see `predict`.
        images: see `predict`.
        top: see `predict`.
        heatmaps: see `predict`.
        max_pixels: see `predict`.
        trust: see `predict`.

    Returns:
        A tuple of the number of images and an iterator over their dicts; of an
        image that cannot be read it has the `error`.

    Raises:
        InputError: as `predict`, but for files that cannot be read.
    """
    files, asked = _checked(source, images, top, heatmaps, max_pixels, trust)
    with input_errors():
        each = predict_each(paths=files, **asked)
    return len(files), each


def find_images(
    images: str | os.PathLike | Iterable[str | os.PathLike],
    log: Callable[[str], Any] = lambda text: None,
) -> list[str]:
    """Returns the image files that paths, folders and patterns mean.

    In folders what this package drew over images, such as heatmaps, is passed
    over.

    Args:
        images: see `predict`.
        log: callable that takes a line, of what is passed over in a folder.

    Raises:
        InputError: if one of them means none, or none is there.
    """
    found: list[str] = []
    for item in paths("images", images):
        path = os.path.expanduser(os.fspath(item))
        passed_over: list[str] = []
        files = _files_of(path, passed_over.append)
        if not files:
            if os.path.isdir(path):
                why = f" {' '.join(passed_over)}" if passed_over else ""
                raise InputError(f"There are no images in {path}.{why}")
            raise InputError(f"There is no image file {path}.")
        found += files
        for line in passed_over:
            log(line)
    if found and not any(map(os.path.lexists, found)):
        raise InputError(f"There is no image file {found[0]}.")
    return list(dict.fromkeys(found))


def _files_of(item, log):
    if os.path.isdir(item):
        folder, passed_over = pathlib.Path(item), PassedOver()
        files = Walker(passed_over).images(folder)
        passed_over.counts.pop("hidden", None)
        for line in passed_over.lines(folder):
            log(f"Passed over in {item}: {line}.")
        return [file for file in files if not is_drawn(file)]
    if os.path.lexists(item) or not glob.has_magic(item):
        return [item]
    matches = sorted(glob.glob(item, recursive=True))
    return [file for match in matches for file in _files_of(match, log)]


def _checked(source, images, top, heatmaps, max_pixels, trust):
    files = find_images(images)
    check_count("top", top)
    check_count("max_pixels", max_pixels, most=MOST)
    check_path("heatmaps", heatmaps, optional=True)
    check_flag("trust", trust)
    detector = None
    with input_errors():
        if isinstance(source, str | os.PathLike):
            where, source = source, open_source(source, trust=trust)
            detector = open_detector(where, source)
    return files, {
        "source": source,
        "detector": detector,
        "top": top,
        "heatmaps": heatmaps,
        "max_pixels": max_pixels,
    }


def open_detector(path: str | os.PathLike, model: Any) -> Any:
    """Returns the detector that was saved with a run, `None` without one.

    Args:
        path: see `open_source`.
        model: what that returns.

    Raises:
        ValueError: if it is damaged, or was fitted on another network.
    """
    if not _is_run(path):
        return None  # An exported file has its own.
    from keras_csg.training.run_folders import detector_of

    folder = detector_of(_at_home(path))
    if folder is None:
        return None
    from keras_csg.robustness.detection import AnomalyDetector

    return AnomalyDetector.load(folder, model)


def open_source(path: str | os.PathLike, *, trust: bool = False) -> Any:
    """Returns what `predict_files` asks: a classifier or an exported model.

    Args:
        path: path of a run directory, of a `.keras` file, or of an exported
            file or folder; `weights:NAME`; or `Run`.
        trust: see `predict`.

    Raises:
        ValueError: if `path` is none of these.
    """
    check_source(path)
    if _is_run(path):
        from keras_csg.training.opening import open_run

        return open_run(_at_home(path)).load_model()
    path = at_home(path)
    if path.suffix == ".keras":
        return _classifier_in(path)
    return open_exported(path, trust=trust)


def check_source(path: str | os.PathLike) -> None:
    """Refuses what `open_source` cannot open, as far as its place tells.

    It loads no library, so that a mistake is named at once.

    Args:
        path: see `open_source`.

    Raises:
        InputError: if nothing lies there, or neither a run nor a model.
    """
    check_path("source", path)
    if _is_run(path):
        return
    path = at_home(path)
    if not path.exists():
        raise InputError(f"There is neither a run nor an exported file {path}.")
    if path.suffix == ".keras":
        return
    model = find_model(path)
    if model is None:
        raise InputError(
            f"{path} is neither a run nor an exported model: it has no "
            "config.json, no saved_model.pb and no version of a model"
            + (name_models_in(path) or ".")
        )
    with input_errors():
        find_format_at(model)


def needs_tensorflow(source: Any) -> bool:
    """Tells whether what `open_source` opens takes TensorFlow to run.

    Args:
        source: see `predict`.

    Returns:
        bool; true of what is no exported file, whatever it is.
    """
    if not isinstance(source, str | os.PathLike) or _is_run(source):
        return True
    model = find_model(source)
    try:
        return model is None or find_format_at(model).runs_in_tensorflow
    except ValueError:
        return True


def _is_run(path):
    """Whether a path, or a `Run`, is that of a run or of shipped weights."""
    path = _at_home(path)
    return (
        not isinstance(path, str)
        or path.startswith(WEIGHTS_PREFIX)
        or pathlib.Path(path, "config.json").exists()
    )


def _at_home(path):
    """Returns a path as str, `~` as the user's home; a `Run` stays."""
    if hasattr(path, "load_model"):
        return path
    return os.path.expanduser(os.fspath(path))


def _classifier_in(path):
    from keras_csg.backbones.weights import read_model_file
    from keras_csg.models import CSGClassifier

    model = read_model_file(path, compile=False)
    if not isinstance(model, CSGClassifier):
        raise ValueError(
            f"{path} holds no CSGClassifier but a {type(model).__name__}."
        )
    return model
