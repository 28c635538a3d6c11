"""Converts a model to LiteRT, in float32 or with narrower numbers.

What 8-bit integers cost, and what is done about it: one scale stands for a
whole tensor, so a tensor whose parts differ in size loses the small parts. The
convolutions stand that; their weights have a scale for each filter. Two parts
of a model do not, and are tiny, so they stay in float32 here:

- everything after the feature maps: probabilities, the filters' shares and
  the heatmap span orders of magnitude, and near-ties between classes decide;
- the normalisation of the images, which would be rounded after each step.

Of a resnet20 on CIFAR-10 the mean gap of the probabilities falls from 0.0029
to 0.0024 by the first and to 0.0015 by the second, that of the filters' shares
from 0.0011 to 0.0001.
"""

from typing import TYPE_CHECKING

import numpy as np

from keras_csg.choices import QUANTIZATIONS
from keras_csg.deployment.formats.base import why
from keras_csg.deployment.formats.litert_graph import (
    custom_operations,
    read_operations,
)
from keras_csg.quiet import quietly

if TYPE_CHECKING:
    import keras

CONVOLUTION_KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D")
BATCH_SIZE = 32


def convert(
    model: "keras.Model",
    quantize: str | None = None,
    calibration: np.ndarray | None = None,
) -> bytes:
    """Converts a model to LiteRT's flatbuffer.

    Args:
        model: `keras.Model` from `answering_model`.
        quantize: `None` for float32. `"float16"` halves the weights and
            computes in float32. `"dynamic"` stores the weights in 8 bits and
            rounds what a convolution sees anew for each image: a quarter of
            the size, but slower than float32 where the runtime has no fast
            form of it, as for depthwise convolutions. `"int8"` has
            the backbone from its first convolution to its feature maps in 8
            bits, weights and activations, as far as LiteRT has an integer form
            of its operations. What lies before and after stays float32, and
            so do the outputs; images go in as the model takes them.
        calibration: for `"int8"`: array of shape `(samples, height, width,
            3)`, RGB in 0..255, some hundred training images, which set the
            range of each activation.

    Returns:
        bytes of the model.

    Raises:
        ValueError: if `quantize` is unknown, `calibration` is missing or of
            another shape, or LiteRT lacks an operation of the model.
    """
    if quantize not in (None, *QUANTIZATIONS):
        raise ValueError(
            f"`quantize` must be None or one of {', '.join(QUANTIZATIONS)}. "
            f"Received: quantize={quantize!r}"
        )
    if quantize == "int8":
        return _convert_to_int8(model, check_calibration(model, calibration))
    converter = _converter(model)
    if quantize is not None:
        _optimize(converter, half=quantize == "float16")
    return _run(converter.convert, model)


def _converter(model):
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_keras_model(model)


def _optimize(converter, half=False):
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if half:
        converter.target_spec.supported_types = [tf.float16]


def _run(conversion, model):
    """Runs a conversion; names the operation if LiteRT lacks one."""
    with quietly():
        try:
            return conversion()
        except Exception as error:  # TensorFlow's, of no public class.
            failure = error
            missing = _missing_operations(model)
    # Outside: what was held back, many lines, is shown if the inside raises.
    if missing:
        raise ValueError(
            f"LiteRT cannot run this model: it has no operation for {missing}. "
            "Export it as SavedModel, or take another backbone."
        ) from failure
    raise ValueError(
        f"LiteRT cannot run this model{why(failure)}. Export it as "
        "SavedModel, or take another backbone."
    ) from failure


def _missing_operations(model):
    """Returns the names of the model's operations that LiteRT lacks.

    They are left out of the error, or named in a text for humans; but where
    TensorFlow's own kernels are allowed, they are in the model, marked.
    """
    import tensorflow as tf

    converter = _converter(model)
    converter.allow_custom_ops = True
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS,
        tf.lite.OpsSet.SELECT_TF_OPS,
    ]
    try:
        content = converter.convert()
    except Exception:  # As above: it has no more to say.
        return ""
    found = {n.removeprefix("Flex") for n in custom_operations(content)}
    # After one that it lacks, shapes are unknown, which convolutions need.
    return ", ".join(sorted(found - {"Conv2D"} or found))


def check_calibration(
    model: "keras.Model", calibration: np.ndarray | None
) -> np.ndarray:
    """Returns the calibration images in the dtype the model takes.

    Raises:
        ValueError: if there are none, or they are of another shape.
    """
    (images,) = model.inputs
    sides = ["any" if side is None else side for side in images.shape[1:]]
    wanted = "(samples, {}, {}, {})".format(*sides)
    if calibration is None:
        raise ValueError(
            "`quantize='int8'` needs `calibration`: some hundred training "
            f"images of shape {wanted}. Received: calibration=None"
        )
    calibration = np.asarray(calibration)
    fits = calibration.ndim == 4 and all(
        want in (None, have)
        for want, have in zip(
            images.shape[1:], calibration.shape[1:], strict=True
        )
    )
    if not fits or not len(calibration):
        raise ValueError(
            f"`calibration` must have shape {wanted}. "
            f"Received: calibration.shape={calibration.shape}"
        )
    if np.dtype(images.dtype).kind == "u":
        calibration = np.clip(np.rint(calibration), 0, 255)
    return calibration.astype(images.dtype)


def _convert_to_int8(model, calibration):
    """Quantises the backbone and leaves what is around it in float32.

    The converter itself cannot leave operations out; the debugger, made to
    find those that lose accuracy, can.
    """
    import tensorflow as tf

    if None in model.inputs[0].shape[1:]:
        raise ValueError(
            "LiteRT computes in 8 bits for images of one size alone: name "
            "another format, or another `quantize`. Received: a model of "
            "images of any size"
        )

    converter = _converter(model)
    _optimize(converter)
    converter.representative_dataset = lambda: (
        [calibration[start : start + BATCH_SIZE]]
        for start in range(0, len(calibration), BATCH_SIZE)
    )

    def quantize():
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter,
            debug_dataset=converter.representative_dataset,
        )
        operations = read_operations(debugger.calibrated_model)
        debugger.options = tf.lite.experimental.QuantizationDebugOptions(
            denylisted_nodes=_names_outside_backbone(operations)
        )
        return debugger.get_nondebug_quantized_model()

    return _run(quantize, model)


def _names_outside_backbone(operations):
    """Returns the names of what is computed before and after the backbone.

    Args:
        operations: list of `Operation`, the float model's.

    Returns:
        list of the names of tensors.
    """
    first = _position(operations, lambda op: op.kind in CONVOLUTION_KINDS)
    outside = [out for op in operations[:first] for out in op.outputs]
    maps = _feature_maps(operations)
    after = {maps}
    for operation in operations:
        if after.intersection(operation.inputs):
            after.update(operation.outputs)
            outside += operation.outputs
    return [tensor.name for tensor in outside]


def _feature_maps(operations):
    """Returns what the last global average pooling pools.

    Of maps of one pixel there is nothing to average; they are reshaped.
    """
    pooled = [
        op.inputs[0]
        for op in operations
        if op.kind in ("MEAN", "RESHAPE")
        and (op.inputs[0].rank, op.outputs[0].rank) == (4, 2)
    ]
    return pooled[-1]


def _position(operations, condition):
    """Returns the position of the first operation that meets a condition."""
    return next(i for i, op in enumerate(operations) if condition(op))
