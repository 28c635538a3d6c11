"""What the pages take for granted: photographs, runs, an exported file."""

import os
import shutil

import numpy as np
from PIL import Image

COLOURS = {"cat": (200, 120, 40), "dog": (60, 160, 80), "frog": (40, 80, 200)}
IMAGES = 60
SIZE = 24


def make_world(folder):
    """Writes it into a new folder, whose path is returned.

    `photos/` has a folder for each of three classes, `labels.csv` a table of
    them; `cat.jpg` and `photo.jpg` are two of its pictures. `runs/` has gated
    and standard networks of these, trained for an epoch, `exported/model.onnx`
    the first of them, `names.csv` a name for one of its filters.
    """
    import keras_csg

    folder.mkdir()
    write_photos(folder / "photos")
    shutil.copy(folder / "photos/cat/000.jpg", folder / "cat.jpg")
    for name in ("photo.jpg", "bird.jpg", "one.jpg"):
        shutil.copy(folder / "photos/dog/001.jpg", folder / name)
    (folder / "names.csv").write_text("filter,name\n3,brown\n", "utf-8")
    for name in ("cifar", "standard"):
        keras_csg.train(
            folder / "runs" / name,
            data=str(folder / "photos"),
            image_size=16,
            validation_split=0.2,
            epochs=1,
            batch_size=16,
            standard=name == "standard",
            loggers=["none"],
            log=None,
        )
    for name in ("a", "b", "c", "birds", "demo", "photos"):
        shutil.copytree(folder / "runs/cifar", folder / "runs" / name)
    keras_csg.export_run(
        folder / "runs/cifar", folder / "exported", formats="onnx", log=None
    )
    shutil.copy(folder / "exported/model.onnx", folder / "model.onnx")
    return folder


def write_photos(folder):
    """Writes photographs of three kinds, told by their colours."""
    rng = np.random.default_rng(0)
    rows = ["file,label"]
    for name, colour in COLOURS.items():
        os.makedirs(folder / name)
        for number in range(IMAGES):
            pixels = rng.normal(colour, 40, (SIZE, SIZE, 3)).clip(0, 255)
            path = folder / name / f"{number:03}.jpg"
            Image.fromarray(pixels.astype("uint8")).save(path)
            labels = name if number % 3 else f"{name}|dog"
            labels = "dog" if name == "dog" else labels
            rows.append(f"{name}/{path.name},{labels}")
    for table in (folder / "labels.csv", folder.parent / "labels.csv"):
        table.write_text("\n".join([*rows, ""]), "utf-8")
