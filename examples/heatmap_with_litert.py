"""Draws where a photograph speaks for its class, with nothing but LiteRT.

    pip install ai-edge-litert numpy pillow
    python examples/heatmap_with_litert.py model.tflite photo.jpg heatmap.png

Takes about a second. Expected: `heatmap.png`, the photograph as the network
saw it and beside it the same with the class's own evidence drawn over it, from
black and violet (none) to yellow (most); the class's name on stdout. The file
is what `keras_csg.export(model, "model.tflite")` wrote, quantised or not.
"""

import json
import sys
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

SIDE = 512  # Pixels of the drawn picture's shorter side.
# Colours from no evidence to the most, and how much of them is drawn.
RAMP = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 201, 50)])


def main(model_path, image_path, picture_path):
    interpreter = Interpreter(model_path)
    classify = interpreter.get_signature_runner()
    # The labels are an associated file: a zip at the end of the model.
    with zipfile.ZipFile(model_path) as files:
        class_names = files.read("labels.txt").decode().splitlines()
        given = json.loads(files.read("keras_csg.json"))["input"]
    (images,) = classify.get_input_details().values()
    _, height, width, _ = images["shape"]

    # RGB of the model's shape; its own layers do the rest.
    photo = read_photo(image_path, given)
    seen = fitted(photo, (width, height), given)
    answer = classify(images=np.asarray(seen, images["dtype"])[None])
    class_name = class_names[int(answer["class_id"][0])]

    scale = SIDE / min(width, height)
    size = round(width * scale), round(height * scale)
    photo = fitted(photo, size, given, Image.Resampling.BICUBIC)
    beside = Image.new("RGB", (2 * size[0], size[1]))
    beside.paste(photo)
    beside.paste(draw(answer["heatmap"][0], photo), (size[0], 0))
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


def read_photo(path, given):
    """Returns a photograph, upright and on its background, as RGB."""
    photo = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
    ground = Image.new("RGBA", photo.size, given.get("background", "white"))
    return Image.alpha_composite(ground, photo).convert("RGB")


def fitted(photo, size, given, method=Image.Resampling.BILINEAR):
    """Returns a photograph at a size, as the network's images got theirs."""
    if given.get("resize") == "squash":
        return photo.resize(size, method)
    if given.get("resize") == "pad":
        return ImageOps.pad(
            photo, size, method, given.get("background", "white")
        )
    return ImageOps.fit(photo, size, method)


if __name__ == "__main__":
    main(*sys.argv[1:])
