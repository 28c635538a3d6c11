import os
import pathlib

import numpy as np

from keras_csg.deployment.formats import registry as formats
from keras_csg.deployment.formats.base import check_images
from keras_csg.deployment.graph.answers import answering_model
from keras_csg.deployment.metadata import describe
from keras_csg.deployment.proof import prove
from keras_csg.deployment.publishing import files_of, publish, staged

RANDOM_IMAGES = 16
ANY_SIDE = 64
"""Of random images for a model that takes any; the deepest halve it 5 times."""


def export(
    model,
    path,
    format=None,
    *,
    outputs=None,
    input_dtype="float32",
    quantize=None,
    calibration=None,
    images=None,
    labels=None,
    layout=None,
    tolerance=1e-4,
    min_agreement=0.95,
    max_accuracy_loss=0.02,
    overwrite=False,
):
    """Exports a classifier, and proves that the file answers as it does.

    The file is run in its own runtime beside the Keras model, on the same
    images, before it gets its name; the proof is written beside it, as
    `<path>.proof.json`. Where anything fails nothing is left behind.

    Args:
        model: `CSGClassifier`.
        path: str or path. Of the file; the folder of a SavedModel; with
            `layout` the model's folder in a server's model repository.
        format: `"saved_model"`, `"onnx"` or `"litert"`. `None` goes by the
            suffix: none, `.onnx` or `.tflite`.
        outputs: list of names out of
            `keras_csg.deployment.graph.answers.OUTPUTS`; `None` for all the
            model has.
        input_dtype: `"float32"` or `"uint8"`: what images the file takes.
        quantize: `None`, `"float16"`, `"dynamic"` or `"int8"`; for
            `"litert"`.
        calibration: array of shape `(samples, height, width, 3)`, RGB in
            0..255: images that show `"int8"` the range of each value.
        images: array of that shape to prove the file on. `None` for random
            pixels, of a fixed seed.
        labels: ints of shape `(samples,)`, the classes of `images`. With them
            the proof tells the accuracy.
        layout: `None`, `"triton"` or `"tfserving"`.
        tolerance: float. Largest gap between a float32 file and the model.
        min_agreement: float in 0..1. Share of the images of which a quantised
            file must name the model's class.
        max_accuracy_loss: float in 0..1. What a quantised file may lose, where
            there are `labels`.
        overwrite: bool. Whether to replace what lies at `path`.

    Returns:
        dict: what `keras_csg.deployment.proof.prove` returns, with `path`,
        `format`, `bytes` (the model's size) and `proof_images`, `"given"` or
        `"random"`.

    Raises:
        ValueError: if an argument is not as described, `path` exists or cannot
            be written, the model cannot be exported, or the file answers
            otherwise than the model.

    Example:
        >>> keras_csg.export(model, "model.onnx", images=data, labels=labels)
    """
    path = pathlib.Path(os.path.abspath(path))
    format = _choose_format(format, path, layout)
    writer = formats.get_format(format)
    settings = _settings(format, quantize, calibration)
    answering = answering_model(model, outputs, input_dtype)
    metadata = describe(model, answering, format, quantize)
    images, source = _proof_images(metadata, images, labels)
    with staged(path, overwrite) as part:
        file = _place(layout, format, part, path.name, metadata, answering)
        writer.write(answering, metadata, file, **settings)
        proof = prove(
            answering,
            writer.open(file),
            images,
            labels,
            tolerance=tolerance,
            min_agreement=min_agreement,
            max_accuracy_loss=max_accuracy_loss,
        )
        report = {
            "path": str(path),
            "format": format,
            "bytes": sum(f.stat().st_size for f in files_of(file)),
            "proof_images": source,
            **proof,
        }
        publish(part, path, report)
    return report


def _choose_format(format, path, layout):
    if format is None and layout is None:
        return formats.find_format(path)
    if format is None:
        return {"triton": "onnx"}.get(layout, "saved_model")
    suffix = formats.get_format(format).SUFFIX
    if layout is None and path.suffix.lower() != suffix:
        ending = f"must end in {suffix}" if suffix else "must have no suffix"
        raise ValueError(
            f"`path` {ending} for the format {format}. Received: path={path}"
        )
    return format


def _settings(format, quantize, calibration):
    if format == "litert":
        return {"quantize": quantize, "calibration": calibration}
    for name, value in {
        "quantize": quantize,
        "calibration": calibration,
    }.items():
        if value is not None:
            raise ValueError(
                f"`{name}` is for the format litert. "
                f"Received: format={format!r}"
            )
    return {}


def _proof_images(metadata, images, labels):
    """Returns images of the dtype the model takes, and where they are from."""
    dtype = metadata.input["dtype"]
    if images is None:
        if labels is not None:
            raise ValueError("`labels` are the classes of `images`: give both.")
        sides = [side or ANY_SIDE for side in metadata.input["shape"][1:3]]
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (RANDOM_IMAGES, *sides, 3))
        return images.astype(dtype), "random"
    if np.dtype(dtype).kind == "u":
        images = np.clip(np.rint(images), 0, 255)
    images = check_images(np.asarray(images).astype(dtype), metadata)
    if labels is not None and np.shape(labels) != (len(images),):
        raise ValueError(
            f"`labels` must be {len(images)} integers, one per image. "
            f"Received: labels.shape={np.shape(labels)}"
        )
    return images, "given"


def _place(layout, format, part, name, metadata, answering):
    """Returns where the model goes, within the layout where there is one."""
    if layout is None:
        return part
    from keras_csg.deployment import layouts

    part.mkdir()
    shapes = {key: value.shape for key, value in answering.output.items()}
    return layouts.arrange(
        layout, format, part, metadata, name=name, output_shapes=shapes
    )
