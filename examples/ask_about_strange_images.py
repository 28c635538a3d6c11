r"""Asks a server about clean, attacked and unfamiliar images.

    keras-csg detect fit weights:cifar10
    python examples/ask_about_strange_images.py weights:cifar10 \
        --unfamiliar animals/ --images 50

Exports the network with its detector and a temperature to one ONNX file,
serves that on this machine, and asks it over HTTP: about test images, about
the same ones attacked with PGD at 8/255, and about photographs of
what is none of the classes (without --unfamiliar, textures that are made up).
Expected: a line for the first image of each kind, and how many of each the
file does not know. At a false-alarm rate of 0.05 that is one clean image in
twenty; how many of the others, docs/detection.md says.

TensorFlow attacks, the server answers without it. Needs the extra `server`.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import urllib.request

import numpy as np

import keras_csg
from keras_csg.data.image_reading import ImageReading
from keras_csg.evaluation.chosen_batches import ChosenBatches
from keras_csg.robustness import pgd
from keras_csg.robustness.detection import make_up_images
from keras_csg.training import open_run
from keras_csg.training.run_data import load_run_data

EPSILON = 8 / 255
QUIET = {"port": 0, "grpc_port": None, "block": False, "log": None}


def main(run, unfamiliar=None, images=50):
    """Prints what the server says; returns the share flagged of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        result = keras_csg.export_run(
            run, folder, detector=True, calibrate=True, log=say
        )
        for error in result.failed.values():
            raise error
        path = result.files[0]["path"]
        metadata = keras_csg.read_metadata(path)
        kinds = images_of_each_kind(run, unfamiliar, images)
        with keras_csg.serve(path, **QUIET) as served:
            answers = {k: ask(served.url, x) for k, x in kinds.items()}
    for kind, answer in answers.items():
        print(f"{kind:12}{in_words(answer, metadata)}")
    flagged = {k: float(np.mean(~a["known"])) for k, a in answers.items()}
    print(f"not known, of {images} each: " + in_shares(flagged))
    return flagged


def images_of_each_kind(run, unfamiliar, count):
    """Returns float32 images `(count, height, width, 3)` of each kind."""
    opened = open_run(run)
    model = opened.load_model()
    test = load_run_data(opened, model, log=say).test
    batches = [*ChosenBatches(test, count, count)]
    clean = np.concatenate([np.asarray(some) for some, _ in batches])
    labels = np.concatenate([np.asarray(some) for _, some in batches])
    clean = clean.astype("float32")
    if unfamiliar is None:
        strange = make_up_images("textures", count, clean.shape[1:])
    else:
        strange = read_images(model, unfamiliar, count)
    return {
        "clean": clean,
        "attacked": pgd(model)(clean, labels, EPSILON).images,
        "unfamiliar": strange.astype("float32"),
    }


def read_images(model, folder, count):
    """Reads images of a folder as the network's were read in training."""
    files = keras_csg.commands.find_images(folder)
    places = np.arange(count) * len(files) // count  # Of all its folders.
    reading = ImageReading(**model.image_reading)
    size = model.input_shape[1:3]
    return np.stack([reading.decode(files[p], size) for p in places])


def ask(url, images):
    """Asks for tensors over HTTP; returns the outputs as arrays."""
    given = {
        "name": "images",
        "datatype": "FP32",
        "shape": list(images.shape),
        "data": images.ravel().tolist(),
    }
    names = ("class_id", "probabilities", "anomaly_score", "known")
    wanted = [{"name": name} for name in names]
    body = json.dumps({"inputs": [given], "outputs": wanted}).encode()
    with urllib.request.urlopen(f"{url}/infer", body, 60) as answer:
        outputs = json.load(answer)["outputs"]
    return {x["name"]: np.reshape(x["data"], x["shape"]) for x in outputs}


def in_words(answer, metadata):
    """Returns what is said of the first image."""
    name = metadata.class_names[answer["class_id"][0]]
    probability = answer["probabilities"][0].max()
    score = f"score {answer['anomaly_score'][0]:.2f}"
    if answer["known"][0]:
        return f"{name}, {probability:.1%} ({score})"
    return (
        f"not one of the known classes ({score}); the nearest: "
        f"{name}, {probability:.1%}"
    )


def in_shares(flagged):
    return ", ".join(f"{kind} {share:.0%}" for kind, share in flagged.items())


def say(line):
    print(line, file=sys.stderr)


def run_example(arguments=None):
    """Runs `main`; a mistake is one line on stderr and the exit code 2."""
    options = argparse.ArgumentParser()
    options.add_argument("run")
    options.add_argument("--unfamiliar", type=pathlib.Path)
    options.add_argument("--images", type=int, default=50)
    args = options.parse_args(arguments)
    try:
        main(args.run, args.unfamiliar, args.images)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    run_example()
