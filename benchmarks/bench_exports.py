"""Size, accuracy and time of what a run exports to, whole and in few bits.

    python benchmarks/bench_exports.py                    # half an hour
    python benchmarks/bench_exports.py weights:cifar10 runs/animals

Each file is written as `keras-csg export` does, but for the proof: it is run on
the whole test split in its own runtime. Its time is that of all outputs on two
threads. The files take turns, so that whatever else runs on the machine slows
all of them; beside the medians stands how often a file does what the float32
ONNX file does in the same turn. Only trained networks quantise honestly:
untrained ones are undecided between their classes.
"""

import pathlib
import platform
import tempfile
import time

import click
import numpy as np
from exported_runtimes import open_with_threads

from keras_csg.deployment import answering_model, open_exported, plan_targets
from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats.registry import get_format
from keras_csg.deployment.proof_images import choose_images
from keras_csg.files import files_at, write_json
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data

FORMATS = ("onnx", "litert", "openvino")
QUANTIZATIONS = ("float16", "int8")
THREADS = 2
BATCHES = (1, 32)
REFERENCE = "model.onnx"
RESULTS = pathlib.Path(__file__).parent / "results" / "exports.json"


def measure_run(name, formats, samples, rounds, seconds):
    """Returns the figures of a run and of each of its files."""
    run = open_run(name)
    model = run.load_model()
    data = load_run_data(run, model, data=None, data_dir=None, log=_say)
    images, labels = data.test.images_and_labels(samples)
    images = images.astype("float32")
    expected = answering_model(model, ["class_id"]).predict(
        images, batch_size=50, verbose=0
    )["class_id"]
    with tempfile.TemporaryDirectory() as folder:
        paths = _write(
            model, data, plan_targets(folder, formats, QUANTIZATIONS)
        )
        files = {
            path.name: _answers(path, images, labels, expected)
            for path in paths
        }
        for batch in BATCHES:
            times = _times(paths, images[:batch], rounds, seconds)
            for path in paths:
                files[path.name][f"batch_{batch}"] = _figures(
                    times[path.name], times[REFERENCE], batch
                )
    return {
        "backbone": model.backbone.name,
        "side": images.shape[1],
        "classes": model.num_classes,
        "images": len(images),
        "keras_accuracy": float(np.mean(expected == labels)),
        "files": files,
    }


def _write(model, data, targets):
    """Writes the files, unproven; returns their paths."""
    answering = answering_model(model)
    calibration = choose_images(data, "int8")["calibration"]
    for target in targets:
        _say(f"  {target.path.name}")
        metadata = describe(model, answering, target.format, target.quantize)
        get_format(target.format).write(
            answering,
            metadata,
            target.path,
            quantize=target.quantize,
            calibration=calibration,
        )
    return [target.path for target in targets]


def _answers(path, images, labels, expected):
    opened = open_exported(path)
    classes = np.concatenate(
        [
            opened.answer(images[start : start + 50])["class_id"]
            for start in range(0, len(images), 50)
        ]
    )
    return {
        "runtime": opened.runtime,
        "bytes": sum(file.stat().st_size for file in files_at(path)),
        "accuracy": float(np.mean(classes == labels)),
        "agreement": float(np.mean(classes == expected)),
    }


def _times(paths, images, rounds, seconds):
    """Returns seconds for a call by the files' names, `(rounds,)` each."""
    answers = {p.name: open_with_threads(p, THREADS) for p in paths}
    calls = {}
    for name, answer in answers.items():
        answer(images)
        calls[name] = max(1, round(seconds / _seconds(answer, images, 1)))
    times = {name: [] for name in answers}
    order = list(answers)
    for _ in range(rounds):
        for name in order:
            times[name].append(_seconds(answers[name], images, calls[name]))
        order.reverse()  # So that none has always the same one before it.
    return {name: np.array(values) for name, values in times.items()}


def _seconds(answer, images, calls):
    start = time.perf_counter()
    for _ in range(calls):
        answer(images)
    return (time.perf_counter() - start) / calls


def _figures(times, reference, batch):
    low, middle, high = np.quantile(reference / times, [0.25, 0.5, 0.75])
    return {
        "milliseconds_per_image": float(1e3 * np.median(times) / batch),
        "images_per_second": float(batch / np.median(times)),
        "times_as_fast": [float(low), float(middle), float(high)],
    }


def print_table(name, figures):
    print(
        f"\n{name}: {figures['backbone']}, {figures['side']} pixels, "
        f"{figures['images']} images, "
        f"Keras {figures['keras_accuracy']:.4f}\n\n"
        "| file | MB | accuracy | as Keras | ms, one image | images/s, 32 |"
        " as fast, 1 and 32 |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for file, row in figures["files"].items():
        one, many = (row[f"batch_{batch}"] for batch in BATCHES)
        print(
            f"| {file} | {row['bytes'] / 1e6:.2f} | {row['accuracy']:.4f} "
            f"| {row['agreement']:.4f} | {one['milliseconds_per_image']:.2f} "
            f"| {many['images_per_second']:.0f} "
            f"| {one['times_as_fast'][1]:.2f}, {many['times_as_fast'][1]:.2f} |"
        )


def _say(text):
    click.echo(text, err=True)


@click.command()
@click.argument("runs", nargs=-1)
@click.option("--formats", default=",".join(FORMATS), show_default=True)
@click.option("--samples", type=int, help="Of the test split (default: all).")
@click.option("--rounds", default=20, show_default=True)
@click.option(
    "--seconds", default=0.2, show_default=True, help="Of one file in a round."
)
@click.option("--out", type=click.Path(path_type=pathlib.Path), default=RESULTS)
def main(runs, formats, samples, rounds, seconds, out):
    """Compare the files of RUNS (default: weights:cifar10)."""
    results = {
        "machine": platform.processor() or platform.machine(),
        "threads": THREADS,
        "runs": {},
    }
    for name in runs or ["weights:cifar10"]:
        figures = measure_run(
            name, formats.split(","), samples, rounds, seconds
        )
        # By its backbone: where a run lies is of no use to others.
        results["runs"][figures["backbone"]] = figures
        write_json(out, results)
        print_table(name, figures)


if __name__ == "__main__":
    main()
