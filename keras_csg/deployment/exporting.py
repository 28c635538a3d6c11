import os
import pathlib
import shutil

import numpy as np

from keras_csg.deployment import formats
from keras_csg.deployment.answers import answering_model
from keras_csg.deployment.metadata import describe
from keras_csg.deployment.proof import prove
from keras_csg.files import write_json

RANDOM_IMAGES = 16


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
        outputs: list of names out of `keras_csg.deployment.answers.OUTPUTS`;
            `None` for all the model has.
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
    images, source = _proof_images(answering, images, labels)
    metadata = describe(model, answering, format, quantize)
    _check_target(path, overwrite)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        _remove(part)
        file = _place(layout, format, part, path.name, metadata, answering)
        writer.write(answering, metadata, file, **settings)
        opened = writer.open(file)
        proof = prove(answering, opened, images, labels, tolerance=tolerance)
        del opened
        report = {
            "path": str(path),
            "format": format,
            "bytes": _size(file),
            "proof_images": source,
            **proof,
        }
        _publish(part, path, report)
    finally:
        _remove(part)
    return report


def _choose_format(format, path, layout):
    if format is None and layout is None:
        return formats.find_format(path)
    if format is None:
        return {"triton": "onnx"}.get(layout, "saved_model")
    suffix = formats.get_format(format).SUFFIX
    if layout is None and path.suffix.lower() != suffix:
        raise ValueError(
            f"The path of a {format} file must end in {suffix!r}. "
            if suffix
            else "The path of a SavedModel is a folder's, without a suffix. "
            f"Received: path={path}"
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


def _proof_images(answering, images, labels):
    """Returns images of the dtype the model takes, and where they are from."""
    (wanted,) = answering.inputs
    if images is None:
        if labels is not None:
            raise ValueError("`labels` are the classes of `images`: give both.")
        sides = [side or 224 for side in wanted.shape[1:3]]
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (RANDOM_IMAGES, *sides, 3))
        return images.astype(wanted.dtype), "random"
    images = np.asarray(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(
            "`images` must have shape (samples, height, width, 3), with at "
            f"least one sample. Received: images.shape={images.shape}"
        )
    if labels is not None and np.shape(labels) != (len(images),):
        raise ValueError(
            f"`labels` must be {len(images)} integers, one per image. "
            f"Received: labels.shape={np.shape(labels)}"
        )
    if np.dtype(wanted.dtype).kind == "u":
        images = np.clip(np.rint(images), 0, 255)
    return images.astype(wanted.dtype), "given"


def _check_target(path, overwrite):
    proof = _proof_path(path)
    for target in (path, proof):
        if os.path.lexists(target) and not overwrite:
            raise ValueError(
                f"{target} exists: choose another path, or replace it with "
                "`overwrite=True` (`--force`)."
            )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"Cannot write to {path.parent}: {error}") from error
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ValueError(f"Cannot write to {path.parent}.")


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


def _proof_path(path):
    return path.with_name(f"{path.name}.proof.json")


def _publish(part, path, report):
    """Gives the proven model its name, and its proof beside it."""
    old = path.with_name(f".{path.stem}.old{path.suffix}")
    _remove(old)
    if os.path.lexists(path):
        path.rename(old)
    try:
        write_json(_proof_path(path), report)
        part.rename(path)
    except BaseException:
        if os.path.lexists(old):
            old.rename(path)
        else:
            _proof_path(path).unlink(missing_ok=True)
        raise
    _remove(old)


def _size(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
