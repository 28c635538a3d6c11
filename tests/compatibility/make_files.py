"""Writes the files that a later version has to read, and what they answer.

    python make_files.py tests/compatibility/0.2.0

In an environment that has the released version installed, not in this tree:
once for each minor version, with its release. What a later version writes
anew is no test.
"""

import argparse
import pathlib
import shutil

import keras
import numpy as np

import keras_csg
from keras_csg.robustness import AnomalyDetector

OPTIONS = {
    "data": "digits",
    "backbone": "resnet20",
    "gate_at": "stage2_block1_out",
    "filters": 24,
    "augment": "crop",
    "batch_size": 64,
    "precision": "float32",
    "deterministic": True,
    "seed": 0,
}
FORMATS = ("saved_model", "onnx", "litert")
IMAGES = 24
# What nobody reads again, or what is drawn.
LEFT_OUT = ("*.png", "logs", "*.pdf")


class Stop(Exception):
    """Ends a training as a fault would."""


class StopAfter(keras.callbacks.Callback):
    """Ends a training after some epochs, when their backup is written."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epochs:
            raise Stop


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    run, stopped = out / "run", out / "stopped"
    keras_csg.train(run, epochs=6, log=None, **OPTIONS)
    try:
        keras_csg.train(
            stopped, epochs=6, log=None, callbacks=[StopAfter(2)], **OPTIONS
        )
    except Stop:
        pass
    keras_csg.fit_detector(run, log=None)
    known = run / "with_detector"
    for result in (
        keras_csg.export_run(run, formats=FORMATS, log=None),
        keras_csg.export_run(
            run, known, formats="onnx", detector=True, calibrate=True, log=None
        ),
    ):
        for error in result.failed.values():
            raise error
    np.savez_compressed(out / "answers.npz", **answers(run, known))
    for folder in (run, stopped):
        for pattern in LEFT_OUT:
            for path in folder.rglob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def answers(run, known):
    """Returns images and what the run, its files and its detector say."""
    data = keras_csg.load_data("digits")
    images, labels = data.validation.images_and_labels(IMAGES)
    found = {"images": images, "labels": labels}
    model = keras.saving.load_model(run / "model.keras")
    plain = images.astype("float32")
    features = model.features(plain)
    found["logits"] = model.predict(plain, verbose=0)
    found["features"] = features
    found["gated"] = model(plain, labels=labels)
    found["class_specific"] = model.class_specific_logits(features)
    for name, value in model.evaluate(
        plain, labels, verbose=0, return_dict=True
    ).items():
        found[f"evaluate/{name}"] = value
    files = {p.name: p for p in (run / "export").iterdir()}
    files = {n: files[n] for n in ("saved_model", "model.onnx", "model.tflite")}
    for name, path in {**files, "known": known / "model.onnx"}.items():
        for output, value in (
            keras_csg.open_exported(path).answer(plain).items()
        ):
            found[f"{name}/{output}"] = value
    detector = AnomalyDetector.load(run / "detector", model)
    found["detector/anomaly_score"] = detector.anomaly_scores(plain)
    return {k: keras.ops.convert_to_numpy(v) for k, v in found.items()}


if __name__ == "__main__":
    main()
