"""Draws where a photograph speaks for its class, without TensorFlow.

    pip install --no-deps keras-csg
    pip install numpy pillow ai-edge-litert lazy-loader click rich
    python examples/heatmap_with_litert.py model.tflite photo.jpg heatmap.png

Takes about a second. Expected: `heatmap.png`, the photograph as the network
saw it and beside it the same with the class's own evidence drawn over it, from
black and violet (none) to yellow (most); the class's name on stdout. The file
is what `keras_csg.export(model, "model.tflite")` wrote, quantised or not.
"""

import argparse
import sys

import numpy as np
from PIL import Image

import keras_csg

SIDE = 512  # Pixels of the drawn picture's shorter side.
NEEDED = ("probabilities", "heatmap")
# Colours from no evidence to the most, and how much of them is drawn.
RAMP = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 201, 50)])


def main(model_path, image_path, picture_path):
    exported = keras_csg.open_exported(model_path)
    missing = [n for n in NEEDED if n not in exported.metadata.outputs]
    if missing:
        raise ValueError(
            f"{model_path} was exported without {' and '.join(missing)}, which "
            f"this needs. It has: {', '.join(exported.metadata.outputs)}"
        )
    batch = exported.read(image_path)
    answer = exported.answer(batch)
    class_id = int(answer["probabilities"][0].argmax())
    if "class_id" in answer:
        class_id = int(answer["class_id"][0])
    class_name = exported.metadata.class_names[class_id]

    # The same part of the photograph, at a size to look at.
    height, width = batch.shape[1:3]
    scale = SIDE / min(height, width)
    size = round(height * scale), round(width * scale)
    reading = exported.metadata.reading
    photo = reading.fit(reading.whole(image_path), size)
    beside = Image.new("RGB", (2 * photo.width, photo.height))
    beside.paste(photo)
    beside.paste(draw(answer["heatmap"][0], photo), (photo.width, 0))
    beside.save(picture_path)
    print(f"{class_name}: {picture_path}")
    return class_name, answer


def draw(heatmap, photo):
    """Returns the photograph with a heatmap in 0..1 over it."""
    heatmap = Image.fromarray(heatmap.astype("float32"))
    heatmap = np.asarray(heatmap.resize(photo.size, Image.Resampling.BICUBIC))
    steps = np.linspace(0, 1, len(RAMP))
    colours = [np.interp(heatmap, steps, channel) for channel in RAMP.T]
    overlay = Image.fromarray(np.stack(colours, -1).astype("uint8"))
    return Image.blend(photo, overlay, 0.6)


def run(arguments=None):
    """Runs `main`; a mistake is one line on stderr and the exit code 2."""
    options = argparse.ArgumentParser()
    options.add_argument("model")
    options.add_argument("photo")
    options.add_argument("picture")
    args = options.parse_args(arguments)
    try:
        main(args.model, args.photo, args.picture)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    run()
