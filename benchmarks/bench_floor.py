"""How far a training step is from what its convolutions alone would take.

    python benchmarks/bench_floor.py   # about three minutes

Each convolution of the network is timed by itself: forward, and the gradients
of its input and of its kernel. Two times are printed beside the whole step:
that of all of them, and that of their multiply-adds at the speed of the
fastest one (the roof). Nothing but a faster convolution gets below the first.
"""

import collections
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
import tensorflow as tf
from alternation import take_turns
from training_step import bare_step, our_model, random_batch

NETWORKS = [("resnet20", 32, 128), ("resnet50", 96, 32)]
Shape = collections.namedtuple(
    "Shape", "height width into kernel out strides padding"
)


def convolutions(model):
    """Counts the network's convolutions by shape."""
    return collections.Counter(
        Shape(
            *layer.input.shape[1:4],
            layer.kernel_size,
            layer.filters,
            layer.strides,
            layer.padding.upper(),
        )
        for layer in model.backbone.layers
        if type(layer) is keras.layers.Conv2D
    )


def kernels(shape, batch_size, dtype):
    """Returns the three kernels of a convolution, and one's FLOPs."""
    images = tf.zeros([batch_size, shape.height, shape.width, shape.into])
    kernel = tf.zeros([*shape.kernel, shape.into, shape.out])
    images, kernel = tf.cast(images, dtype), tf.cast(kernel, dtype)
    common = {"strides": [1, *shape.strides, 1], "padding": shape.padding}
    maps = tf.nn.conv2d(images, kernel, **common)

    @tf.function
    def forward():
        return tf.nn.conv2d(images, kernel, **common)

    @tf.function
    def input_gradient():
        return tf.raw_ops.Conv2DBackpropInput(
            input_sizes=images.shape, filter=kernel, out_backprop=maps, **common
        )

    @tf.function
    def kernel_gradient():
        return tf.raw_ops.Conv2DBackpropFilter(
            input=images, filter_sizes=kernel.shape, out_backprop=maps, **common
        )

    flops = 2 * np.prod(maps.shape) * np.prod(kernel.shape[:3])
    # Nobody asks for the gradient of the images themselves.
    asked = [forward, kernel_gradient]
    if shape.into > 3:
        asked.append(input_gradient)
    return asked, float(flops)


def measure(backbone, size, batch_size, policy, blocks):
    model = our_model(backbone, size, 10, policy)
    dtype = "bfloat16" if policy == "mixed_bfloat16" else "float32"
    total, flops, fastest = 0.0, 0.0, 0.0
    for shape, count in convolutions(model).items():
        functions, work = kernels(shape, batch_size, dtype)
        for function in functions:
            taken = take_turns({"": function}, blocks, seconds=0.05)[""]
            seconds = np.median(taken)
            total += count * seconds
            flops += count * work
            fastest = max(fastest, work / seconds)
    step = bare_step(model, random_batch(size, batch_size, 10))
    step = np.median(take_turns({"": step}, blocks)[""])
    print(
        f"{backbone:10} {dtype:9} step {step * 1e3:6.1f} ms, convolutions "
        f"alone {total * 1e3:6.1f} ms ({total / step:.0%} of it), roof "
        f"{flops / fastest * 1e3:6.1f} ms at {fastest / 1e9:.0f} GFLOP/s "
        f"({flops / fastest / step:.0%}); {flops / 1e9:.1f} GFLOP a step",
        flush=True,
    )


@click.command()
@click.option("--blocks", default=5, show_default=True)
def main(blocks):
    """Compare training steps with their convolutions."""
    for backbone, size, batch_size in NETWORKS:
        for policy in ("float32", "mixed_bfloat16"):
            measure(backbone, size, batch_size, policy, blocks)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
