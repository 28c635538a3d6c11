import contextlib
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from keras_csg.choices import INPUT_DTYPES, LAYOUTS
from keras_csg.commands.arguments import (
    check_callable,
    check_choice,
    check_flag,
    check_path,
    check_share,
    check_text,
    logger,
    names,
)
from keras_csg.commands.export_additions import added_to, find_detector
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.deployment.formats.choosing import unmet_wishes
from keras_csg.deployment.targets import Target, check_targets, plan_targets
from keras_csg.files import check_links
from keras_csg.training.run_folders import folder_of


class ExportResult(NamedTuple):
    """What an export wrote, and what it could not.

    Attributes:
        files: list of what `keras_csg.export` returned, one for each file.
        failed: dict from the path of each file that could not be written to
            the exception.
    """

    files: list[dict]
    failed: dict[pathlib.Path, Exception]


def plan_export(
    run: str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    formats: Iterable[str] | str = (),
    quantize: Iterable[str] | str = (),
    layout: str | None = None,
    name: str | None = None,
    version: int | None = None,
    detector: str | os.PathLike | bool | None = None,
    overwrite: bool = False,
) -> list[Target]:
    """Returns the files that an export of a run writes, and checks them.

    It loads no library, so that a mistake is named at once.

    Args:
        run: path of a run directory, or `weights:NAME`.
        out: path of the folder they go to; `None` for `export` in the run, or
            in `runs/weights-NAME`.
        formats: some of `keras_csg.choices.FORMATS`, or one, or `"all"` for
            those whose runtime is installed; none for ONNX or the usual one of
            the layout.
        quantize: some of `keras_csg.choices.QUANTIZATIONS`, or one, or
            `"all"`, of the formats that have them.
        layout: one of `keras_csg.choices.LAYOUTS`, or `None`.
        name: str. The model's in a layout; `None` for the run's.
        version: int, at least 1. The model's in a layout; `None` for the next
            free one.
        detector: `True` for the one that `fit_detector` saved with the run,
            or path of a folder with one; `None` or `False` for none.
        overwrite: bool. Whether files may be replaced.

    Raises:
        InputError: for what is not as described, does not go together, exists
            or cannot be written.
    """
    check_path("run", run)
    check_path("out", out, optional=True)
    check_text("name", name, optional=True)
    check_flag("overwrite", overwrite)
    with input_errors():
        check_links(folder_of(run))  # Files in it are looked at, and written.
    find_detector(run, detector)
    if layout is not None:
        check_choice("layout", layout, LAYOUTS)
    folder = folder_of(run)
    out = folder / "export" if out is None else pathlib.Path(out)
    if layout and name is None:
        name = folder.absolute().name
    formats, quantize = names("formats", formats), names("quantize", quantize)
    with input_errors():
        targets = plan_targets(out, formats, quantize, layout, name, version)
        check_targets(out, targets, overwrite)
    return targets


def export_run(
    run: str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    formats: Iterable[str] | str = (),
    quantize: Iterable[str] | str = (),
    layout: str | None = None,
    name: str | None = None,
    version: int | None = None,
    outputs: Iterable[str] | str | None = None,
    input_dtype: str = "float32",
    detector: str | os.PathLike | bool | None = None,
    calibrate: bool = False,
    ort_web: str | os.PathLike | None = None,
    min_agreement: float = 0.95,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    overwrite: bool = False,
    tracker: Callable[[list[Target]], Any] | None = None,
    log: Callable[[str], Any] | None = print,
) -> ExportResult:
    """Writes the network of a run to files that run without this package.

    Each is proven on images of the run's validation split, and 8-bit ones are
    calibrated on images of its training split.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`.
        out: see `plan_export`.
        formats: see `plan_export`.
        quantize: see `plan_export`.
        layout: see `plan_export`.
        name: see `plan_export`.
        version: see `plan_export`.
        outputs: names of what the files answer, or one; `None` for all there
            is.
        input_dtype: `"float32"` or `"uint8"`: what images the files take.
        detector: see `plan_export`. The files answer whether they know what an
            image shows.
        calibrate: bool. Whether the files divide logits by the temperature
            that fits the validation split best: see `keras_csg.calibrate`.
        ort_web: path of onnxruntime-web for the layout `"web"`, as `npm pack`
            writes it or unpacked; `None` for what was fetched before, or npm's
            registry.
        min_agreement: float in 0..1. Share of the images of which a quantised
            file must name the network's class.
        data: str or path. Data of the same classes to prove and calibrate on;
            `None` for the run's.
        data_dir: path. Where the data are now, if they moved.
        overwrite: see `plan_export`.
        tracker: callable from the targets to a context manager that gives the
            functions `on_begin` and `on_done` of
            `keras_csg.deployment.export_all`.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        `ExportResult`.

    Raises:
        InputError: as `plan_export`, and if there is no such run or output.
    """
    targets = plan_export(
        run,
        out,
        formats=formats,
        quantize=quantize,
        layout=layout,
        name=name,
        version=version,
        detector=detector,
        overwrite=overwrite,
    )
    check_flag("calibrate", calibrate)
    check_choice("input_dtype", input_dtype, INPUT_DTYPES)
    check_share("min_agreement", min_agreement)
    check_path("data", data, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_callable("tracker", tracker, optional=True)
    outputs = None if outputs is None else names("outputs", outputs)
    log = logger(log)
    if not layout:
        asked = names("formats", formats) or [targets[0].format]
        line = unmet_wishes(asked, names("quantize", quantize))
        if line:
            log(line)
    with input_errors():
        _check_runtime(layout, ort_web, log)
        detector = find_detector(run, detector)
        model, detector, images = _open(
            run, outputs, detector, data, data_dir, log
        )
        added = added_to(model, images, detector, calibrate, log)
    from keras_csg.deployment.exporting_all import export_all

    with (tracker or _log_each(log))(targets) as (on_begin, on_done):
        written = export_all(
            model,
            targets,
            **images,
            on_begin=on_begin,
            on_done=on_done,
            outputs=outputs,
            input_dtype=input_dtype,
            **added,
            ort_web=ort_web,
            min_agreement=min_agreement,
            overwrite=overwrite,
        )
    return ExportResult(*written)


def _check_runtime(layout, ort_web, log):
    """Fetches what runs models in browsers before what takes long."""
    from keras_csg.deployment.web.runtime import find_runtime

    check_path("ort_web", ort_web, optional=True)
    if layout == "web":
        find_runtime(ort_web, log)
    elif ort_web is not None:
        raise InputError(
            f"`ort_web` is for the layout web. Received: layout={layout!r}"
        )


def _open(run_path, outputs, detector, data, data_dir, log):
    """Returns a run's model, detector, and data as `export_all` takes them."""
    from keras_csg.deployment.additions import checked_detector
    from keras_csg.deployment.graph.answers import check_outputs
    from keras_csg.engines import require_tensorflow
    from keras_csg.training.opening import open_run

    require_tensorflow("Exports")
    run = open_run(run_path)
    model = run.load_model()
    if outputs is not None:
        check_outputs(model, outputs, detector is not None)
    opened = checked_detector(model, detector)  # Before what takes long.
    return model, opened, _load_data(run, model, data, data_dir, log)


def _load_data(run, model, data, data_dir, log):
    """Returns the run's data, or why there are none, which it says as well.

    Raises:
        ValueError: if the user said where the data are and they are not.
    """
    from keras_csg.training.run_data import load_run_data

    name = run.options.data  # A broken config.json is no fault of the data.
    try:
        found = load_run_data(run, model, data=data, data_dir=data_dir, log=log)
    except (ValueError, OSError) as error:
        if (data, data_dir) != (None, None):
            raise
        reason = " ".join(str(error).split())
        log(
            f"The run's data, {name}, are gone ({reason}): files are compared "
            "with the network on random pixels instead; say where they are "
            "with `data_dir`."
        )
        return {"missing_data": reason}
    return {"data": found}


def _log_each(log):
    @contextlib.contextmanager
    def tracker(targets: list[Target]) -> Iterator[tuple]:
        def on_done(target, result):
            if isinstance(result, Exception):
                reason = " ".join(str(result).split())
                log(f"{target.path} failed: {reason}")
            else:
                log(f"Wrote {target.path}")
                for name in result.get("kept", ()):
                    log(
                        f"{target.path / name} was changed and is kept: move "
                        "it away to have it written anew"
                    )

        yield (lambda target: None), on_done

    return tracker
