"""A gated step on an accelerator, beside the standard one and plain Keras.

    KERAS_BACKEND=jax python benchmarks/bench_gpu.py
    python benchmarks/bench_gpu.py --image-size 64 --classes 10 --batch 4

Needs Keras and the backend, nothing else of this package's: three wheels
(keras, optree, namex) carried to a machine with JAX do. One step after another
is taken in turns of the three, on images that lie on the device, and waited
for. The share of the peak is that of the floating-point operations of the
network's own layers, three times those of inference, over the time.
"""

import os
import statistics
import time

import click
import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")

PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bfloat16 operations a second, by what a device's name has in it."""


def classifiers(backbone, size, classes):
    """Yields the networks to time: each a new one."""
    import keras

    import keras_csg

    shape = (size, size, 3)
    for name in ("gated", "standard"):
        yield (
            name,
            keras_csg.build(
                backbone, classes, input_shape=shape, gated=name == "gated"
            ),
        )
    plain = keras_csg.build(backbone, classes, input_shape=shape, gated=False)
    network = keras.models.clone_model(plain.backbone)
    for layer in network.layers:  # As Keras has it, not in one kernel.
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.__class__ = keras.layers.BatchNormalization
    maps = keras.layers.GlobalAveragePooling2D(dtype="float32")(network.output)
    logits = keras.layers.Dense(classes, dtype="float32")(maps)
    yield "plain Keras", keras.Model(network.input, logits)


def compile_model(model):
    import keras

    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile="auto",
    )


class Steps:
    """The training steps of a compiled model, one call each."""

    def __init__(self, model, images, labels):
        import keras

        self.batch = (images, labels)
        self.jax = keras.backend.backend() == "jax"
        # Optimizer, loss and metrics make their variables.
        model.train_on_batch(*self.batch)
        self.model = model
        if self.jax:
            kinds = (
                model.trainable_variables,
                model.non_trainable_variables,
                model.optimizer.variables,
                model.metrics_variables,
            )
            self.state = tuple([v.value for v in kind] for kind in kinds)

    def take(self, count):
        """Takes some steps, waits for the last, and returns the seconds."""
        began = time.perf_counter()
        if self.jax:
            import jax

            for _ in range(count):
                # The step that `train_on_batch` compiled.
                logs, self.state = self.model.train_function(
                    self.state, iter([self.batch])
                )
            jax.block_until_ready(logs)
        else:
            for _ in range(count):
                logs = self.model.train_on_batch(*self.batch)
            float(np.asarray(logs[0]))
        return time.perf_counter() - began


def operations_of(model):
    """Returns the operations of inference on an image, of its products."""
    import keras

    total = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None or isinstance(layer, keras.layers.Dense):
            continue
        places = np.prod(layer.output.shape[1:3])
        total += 2 * places * np.prod(kernel.shape)
    return total


def device():
    """Returns the name of the device and the most memory that was used."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        first = jax.devices()[0]
        used = (first.memory_stats() or {}).get("peak_bytes_in_use", 0)
        return first.device_kind, used
    return keras.backend.backend(), 0


@click.command()
@click.option("--backbone", default="resnet50", show_default=True)
@click.option("--image-size", default=224, show_default=True)
@click.option("--classes", default=1000, show_default=True)
@click.option("--batch", default=256, show_default=True)
@click.option("--precision", default="mixed_bfloat16", show_default=True)
@click.option("--steps", default=10, show_default=True, help="In each turn.")
@click.option("--turns", default=5, show_default=True)
def main(backbone, image_size, classes, batch, precision, steps, turns):
    """Time training steps of a gated, a standard and a plain network."""
    import keras

    keras.config.set_dtype_policy(precision)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch, image_size, image_size, 3))
    images = keras.ops.convert_to_tensor(images.astype("uint8"))
    labels = keras.ops.convert_to_tensor(
        rng.integers(0, classes, batch).astype("int32")
    )
    timed, memory = {}, {}
    for name, model in classifiers(backbone, image_size, classes):
        compile_model(model)
        began = time.perf_counter()
        timed[name] = Steps(model, images, labels)
        timed[name].take(2)
        memory[name] = device()[1]
        operations = operations_of(getattr(model, "backbone", model))
        print(f"{name}: ready in {time.perf_counter() - began:.0f} s")
    taken = {name: [] for name in timed}
    for _ in range(turns):
        for name, own in timed.items():
            taken[name].append(own.take(steps) / steps)
    kind, _ = device()
    peak = next((p for name, p in PEAKS.items() if name in kind), None)
    print(
        f"{kind}, {backbone}, {image_size} pixels, {classes} classes, "
        f"batch {batch}, {precision}"
    )
    plain = statistics.median(taken["plain Keras"])
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        line = (
            f"{name:12} {1000 * median:8.2f} ms a step "
            f"({1000 * min(seconds):.2f} to {1000 * max(seconds):.2f}), "
            f"{batch / median:8.0f} images/s, {median / plain:.3f} of plain"
        )
        if peak:
            line += f", {3 * operations * batch / median / peak:.1%} of peak"
        print(line)
    print(
        "Peak memory, GB, with those before it: "
        + ", ".join(f"{n} {used / 1e9:.1f}" for n, used in memory.items())
    )


if __name__ == "__main__":
    main()
