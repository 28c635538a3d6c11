"""Time of an exported file's full answer beside the plain classifier's.

python benchmarks/bench_serving.py   # about a quarter of an hour

Both files hold the same backbone and weights. One is what `keras_csg.export`
writes, asked for all it can say of an image: class, probabilities, filters,
heatmap, agreement. The other is the plain classifier, backbone, average, head
and softmax, written by Keras's own `model.export` or by TensorFlow's converter
with the same settings. Both run in this process on one thread, in turns, so
that whatever else runs on the machine slows both, and each block of one is
held against the neighbouring block of the other. The ratio by the processor's
time is the one to trust where the machine is busy.
"""

import os
import pathlib
import tempfile
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

import keras_csg
import keras_csg.backbones
from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats.onnx import OnnxFormat
from keras_csg.deployment.formats.quantization import convert
from keras_csg.deployment.graph.answers import answering_model

# Backbone: side of the images, number of classes, highest ratio wanted.
NETWORKS = {"resnet50": (224, 1000, 1.03), "resnet20": (32, 10, 1.05)}
FORMATS = ("onnx", "litert", "int8")


def gated_classifier(backbone, images, classes):
    """A network whose running statistics and gate are not the initial ones."""
    keras.utils.set_random_seed(0)
    model = keras_csg.build(
        backbone, num_classes=classes, input_shape=images.shape[1:]
    )
    for layer in model.backbone.layers:
        layer.momentum = 0.0  # The statistics of these images alone.
    model.features(images, training=True)
    rng = np.random.default_rng(0)
    model.head.bias.assign(rng.normal(0, 0.1, classes))  # None folds away.
    gate_matrix = rng.uniform(0, 1, (classes, model.filters))
    model.gate.gate_matrix.assign(gate_matrix / gate_matrix.max(axis=0))
    return model


def plain_classifier(model):
    """The same network as one would write it without this package."""
    backbone = keras_csg.backbones.create_backbone(
        model.backbone.name, input_shape=model.backbone.input_shape[1:]
    )
    backbone.set_weights(model.backbone.get_weights())
    head = keras.layers.Dense(model.num_classes, activation="softmax")
    features = keras.layers.GlobalAveragePooling2D()(backbone.output)
    plain = keras.Model(backbone.input, head(features))
    head.set_weights(model.head.get_weights())
    plain(np.zeros((1, *plain.input_shape[1:])))  # Keras exports no other.
    return plain


def write_pair(model, plain, format, images, folder):
    """Writes both files and opens them: plain, ours.

    Ours without the proof of `keras_csg.export`: an untrained network is too
    undecided between its classes to stand 8 bits.
    """
    answering = answering_model(model)
    if format == "onnx":
        paths = folder / "plain.onnx", folder / "ours.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # NumPy's, of Keras.
            plain.export(paths[0], format="onnx", verbose=False)
        metadata = describe(model, answering, format)
        OnnxFormat().write(answering, metadata, paths[1])
        return [open_onnx(path) for path in paths]
    settings = {}
    if format == "int8":
        settings = {"quantize": "int8", "calibration": images}
    return [
        open_litert(convert(network, **settings))
        for network in (plain, answering)
    ]


def open_onnx(path):
    """Returns a function from images to a call that runs the file on them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    (images_input,) = session.get_inputs()

    def prepare(images):
        return lambda: session.run(None, {images_input.name: images})

    return prepare


def open_litert(content):
    """Returns a function from images to a call that runs the file on them."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    (images_input,) = interpreter.get_input_details()
    outputs = interpreter.get_output_details()

    def prepare(images):
        interpreter.resize_tensor_input(images_input["index"], images.shape)
        interpreter.allocate_tensors()

        def run():
            interpreter.set_tensor(images_input["index"], images)
            interpreter.invoke()
            return [interpreter.get_tensor(x["index"]) for x in outputs]

        return run

    return prepare


def seconds(run, calls):
    """Seconds for one call, on the clock and on the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(calls):
        run()
    spent = time.perf_counter() - wall, time.process_time() - processor
    return np.array(spent) / calls


def compare(plain, ours, blocks, block_seconds):
    """Returns the times of each block, `(blocks, 2 files, 2 clocks)`."""
    plain(), ours()
    calls = max(1, round(block_seconds / seconds(plain, 1)[0]))
    times = np.empty((blocks, 2, 2))
    for block in range(blocks):
        # The one that goes first changes, so neither has the warmer caches.
        for side in (0, 1) if block % 2 == 0 else (1, 0):
            times[block, side] = seconds((plain, ours)[side], calls)
    return times


def print_row(name, times, target):
    plain, ours = 1e3 * np.median(times[:, :, 0], axis=0)
    clock, processor = (
        "{1:.3f} ({0:.3f} to {2:.3f})".format(
            *np.quantile(times[:, 1, i] / times[:, 0, i], [0.25, 0.5, 0.75])
        )
        for i in (0, 1)
    )
    print(
        f"{name:24} {plain:9.3f} {ours:9.3f}  {clock:24} {processor:24}"
        f" {target:.2f}",
        flush=True,
    )


@click.command()
@click.option("--backbones", default=",".join(NETWORKS), show_default=True)
@click.option("--formats", default=",".join(FORMATS), show_default=True)
@click.option("--batches", default="1,32", show_default=True)
@click.option("--blocks", default=20, show_default=True)
@click.option(
    "--block-seconds", default=0.3, show_default=True, help="Of one file."
)
def main(backbones, formats, batches, blocks, block_seconds):
    """Compare the full answer's time with the plain classifier's."""
    print(
        f"{'milliseconds, median':24}     plain      ours"
        f"  {'ratio (quartiles)':24} {'by processor time':24} target"
    )
    for backbone in backbones.split(","):
        size, classes, target = NETWORKS[backbone]
        rng = np.random.default_rng(0)
        images = rng.uniform(0, 255, (32, size, size, 3)).astype("float32")
        model = gated_classifier(backbone, images[:8], classes)
        plain = plain_classifier(model)
        for format in formats.split(","):
            with tempfile.TemporaryDirectory() as folder:
                pair = write_pair(
                    model, plain, format, images, pathlib.Path(folder)
                )
            for batch in map(int, batches.split(",")):
                runs = [prepare(images[:batch]) for prepare in pair]
                times = compare(*runs, blocks, block_seconds)
                print_row(f"{backbone} {format}, {batch}", times, target)


if __name__ == "__main__":
    main()
