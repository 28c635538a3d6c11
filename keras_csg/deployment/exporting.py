import os
import pathlib
from collections.abc import Iterable

import numpy as np

from keras_csg.arguments import share, weight_of_loss
from keras_csg.deployment.additions import (
    checked_detector,
    checked_temperature,
)
from keras_csg.deployment.describing import describe
from keras_csg.deployment.destinations import choose_destination
from keras_csg.deployment.formats.choosing import (
    check_quantization,
    formats_with,
    missing_formats,
)
from keras_csg.deployment.formats.quantization import check_calibration
from keras_csg.deployment.formats.registry import (
    find_format_of_suffix,
    get_format,
    open_in,
)
from keras_csg.deployment.formats.sizes import require_taken
from keras_csg.deployment.given_images import (
    check_contrast,
    check_given,
    images_to_prove_on,
)
from keras_csg.deployment.graph.answers import answering_model, check_outputs
from keras_csg.deployment.known_proof import without_features
from keras_csg.deployment.layouts import formats_of_layout
from keras_csg.deployment.proof import prove
from keras_csg.deployment.publishing import (
    alone_at,
    publish,
    staged,
    write_companions,
)
from keras_csg.deployment.web.runtime import find_runtime
from keras_csg.engines import require_tensorflow
from keras_csg.evaluation.temperature import Calibration
from keras_csg.files import files_at, naming
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.image_range import takes_bytes
from keras_csg.robustness.detection import AnomalyDetector


def export(
    model: CSGClassifier,
    path: str | os.PathLike,
    format: str | None = None,
    *,
    outputs: Iterable[str] | None = None,
    input_dtype: str = "float32",
    detector: AnomalyDetector | str | os.PathLike | None = None,
    temperature: Calibration | None = None,
    quantize: str | None = None,
    calibration: np.ndarray | None = None,
    images: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    layout: str | None = None,
    version: int | None = None,
    ort_web: str | os.PathLike | None = None,
    tolerance: float = 1e-4,
    min_agreement: float = 0.95,
    max_accuracy_loss: float = 0.02,
    overwrite: bool = False,
) -> dict:
    """Exports a classifier, and proves that the file answers as it does.

    The file is run in its own runtime beside the Keras model, on the same
    images, before it gets its name; the proof is written beside it, as
    `<path>.proof.json`, and for programs that cannot look into it the names of
    the classes as `<path>.labels.json` and its metadata as `<path>.json`. If
    anything fails, no file is left, and what was there stays.

    Args:
        model: `CSGClassifier`.
        path: str or path. Of the file; the folder of a SavedModel; with
            `layout` the model's folder in a server's model repository, or the
            page's.
        format: `"saved_model"`, `"onnx"`, `"litert"`, `"openvino"`,
            `"coreml"` or what else is registered with
            `keras_csg.deployment.register_format`. `None` goes by the suffix,
            none for a SavedModel, `.onnx`, `.tflite` or `.mlpackage`, or by
            the layout.
        outputs: list of names out of
            `keras_csg.deployment.graph.outputs.OUTPUTS`; `None` for all the
            model has.
        input_dtype: `"float32"` or `"uint8"`: what images the file takes.
        detector: `AnomalyDetector` that was fitted on the model, or the folder
            it was saved to: the file answers `anomaly_score` and `known` as
            well. `None` for none.
        temperature: what `keras_csg.calibrate` returns: by what the logits are
            divided before they become probabilities. `None` for nothing.
        quantize: `None`, `"float16"`, `"dynamic"` or `"int8"`, as far as the
            format has it: `keras_csg.choices.QUANTIZATIONS_OF`.
        calibration: array of shape `(samples, height, width, 3)`, RGB in
            0..255: images that show `"int8"` the range of each value.
        images: array of that shape to prove the file on. `None` for those of
            `calibration`, or for random pixels, of a fixed seed.
        labels: ints of shape `(samples,)`, the classes of `images`, or zeros
            and ones `(samples, classes)` with `multi_label`. With them the
            proof tells the accuracy.
        layout: `None`, `"triton"` or `"tfserving"`, or `"web"`: a page that
            runs the model in a browser.
        version: int, at least 1. Number of the version within a layout;
            `None` for the next free one. Other versions, and a
            `config.pbtxt` that is there, stay as they are.
        ort_web: path of onnxruntime-web for `"web"`, as `npm pack` writes it
            or unpacked. `None` for what was fetched before, or npm's registry.
        tolerance: float. Largest gap between a float32 file and the model.
        min_agreement: float in 0..1. Share of the images of which a quantised
            file must name the model's class.
        max_accuracy_loss: float in 0..1. What a quantised file may lose, where
            there are `labels`.
        overwrite: bool. Whether to replace what an export wrote at `path`, or
            that version. What is anybody else's is never replaced.

    Returns:
        dict: what `keras_csg.deployment.proof.prove` returns, with `path`,
        `format`, `bytes` (the model's size) and `proof_images`, `"given"`,
        `"calibration"` or `"random"`; within a layout also `version`, if it
        has them, and `kept`, the names of files that were there and stay,
        though others would be written now.

    Raises:
        ValueError: if an argument is not as described, `path` exists or cannot
            be written, the model cannot be exported, or the file answers
            otherwise than the model.

    Example:
        >>> model = keras.saving.load_model("birds.keras")  # doctest: +SKIP
        >>> keras_csg.export(model, "birds.onnx")["bytes"]  # doctest: +SKIP
        1101234
    """
    require_tensorflow("Exports")
    path = pathlib.Path(os.path.abspath(os.path.expanduser(path)))
    if not path.name:
        raise ValueError(
            "`path` must be that of a file, or of a folder of its own. "
            f"Received: path={path}"
        )
    tolerance = weight_of_loss("tolerance", tolerance)
    min_agreement = share("min_agreement", min_agreement)
    max_accuracy_loss = share("max_accuracy_loss", max_accuracy_loss)
    writer = _choose_format(format, path, layout)
    settings = _settings(writer, quantize, calibration)
    choose_destination(path, writer, layout, version).check(overwrite)
    runtime = _runtime(layout, ort_web)
    check_outputs(model, outputs, detector is not None)
    added = {
        "detector": checked_detector(model, detector),
        "temperature": checked_temperature(model, temperature),
    }
    _check_images(model, quantize, images=images, calibration=calibration)

    def write():
        proving = answering_model(
            model,
            outputs,
            input_dtype,
            features=added["detector"] is not None,
            **added,
        )
        answering = without_features(proving)
        metadata = describe(model, answering, writer.name, quantize, **added)
        chosen, source = images_to_prove_on(
            metadata, images, labels, calibration
        )
        require_taken(proving, chosen, metadata)
        place = choose_destination(path, writer, layout, version)
        place.check(overwrite)  # Another one may have written there.
        return _write_proven(
            place,
            runtime,
            answering,
            metadata,
            settings,
            proving=proving,
            proof_images=source,
            overwrite=overwrite,
            images=chosen,
            labels=labels,
            detector=added["detector"],
            tolerance=tolerance,
            min_agreement=min_agreement,
            max_accuracy_loss=max_accuracy_loss,
        )

    from keras_csg.engines.on_tensorflow import outside_strategies

    with alone_at(path):
        return outside_strategies(write)


def _write_proven(
    place,
    runtime,
    answering,
    metadata,
    settings,
    *,
    proving,
    proof_images,
    overwrite,
    **asked,
):
    """Writes a file, proves it as `asked`, and gives it its name."""
    shapes = {key: value.shape for key, value in answering.output.items()}
    with naming(place.final), staged(place.final) as stage:
        file, named, kept = place.arrange(stage, metadata, shapes, runtime)
        place.format.write(answering, metadata, file, **settings)
        opened = _open(place, file)
        proof = prove(proving, opened, **asked)
        version = {} if place.version is None else {"version": place.version}
        report = {
            "path": str(place.path),
            "format": place.format.name,
            "bytes": sum(f.stat().st_size for f in files_at(file)),
            "proof_images": proof_images,
            **version,
            **({} if place.layout is None else {"kept": kept}),
            **proof,
        }
        alone = place.layout is None and place.format.suffix
        write_companions(named, report, opened.metadata if alone else None)
        place.check(overwrite)  # Much may have happened meanwhile.
        publish(stage, place.final.parent)
    return report


def _open(place, file):
    """Opens a part; errors name what it was to become."""
    try:
        # What was just written is trusted, whatever layers the network has.
        return open_in(place.format, file, trust=True)
    except ValueError as error:
        said = str(error).replace(str(file), str(place.path))
        raise ValueError(said) from error


def _choose_format(name, path, layout):
    """Returns the `Format` that is named, or follows from the other two."""
    if layout is not None:
        possible = formats_of_layout(layout)
        return get_format(possible[0] if name is None else name)
    if name is None:
        return find_format_of_suffix(path)
    suffix = get_format(name).suffix
    if path.suffix.lower() != suffix:
        ending = f"must end in {suffix}" if suffix else "must have no suffix"
        raise ValueError(
            f"`path` {ending} for the format {name}. Received: path={path}"
        )
    return get_format(name)


def _runtime(layout, ort_web):
    """Returns what runs the model in a browser, where that is asked for."""
    if layout == "web":
        return find_runtime(ort_web)
    if ort_web is not None:
        raise ValueError(
            f"`ort_web` is for the layout web. Received: layout={layout!r}"
        )
    return None


def _settings(format, quantize, calibration):
    """Returns the settings that the format takes; none may be given besides."""
    if format.name in missing_formats():
        raise ValueError(missing_formats()[format.name])
    check_quantization(format, quantize)
    if calibration is not None and "int8" not in format.quantizations:
        raise ValueError(
            "`calibration` is for int8, which has the format "
            f"{' or '.join(formats_with('int8'))}. "
            f"Received: format={format.name!r}"
        )
    if not format.quantizations:
        return {}
    return {"quantize": quantize, "calibration": calibration}


def _check_images(model, quantize, **given):
    """Refuses images that say nothing of the file, before it is written."""
    scales_bytes = takes_bytes(model.backbone)
    for name, images in given.items():
        if images is not None:
            check_given(name, images, scales_bytes)
            if quantize is not None:
                check_contrast(name, images, scales_bytes)
    if quantize == "int8":
        check_calibration(model, given["calibration"])
