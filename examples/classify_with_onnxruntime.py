"""Classifies a photograph with an exported file, far away from TensorFlow.

    pip install onnxruntime numpy pillow
    python examples/classify_with_onnxruntime.py model.onnx photo.jpg

Takes about a second. Expected: the class, its probability, and how far the
class's own filters agree with it, all read from the one file that
`keras_csg.export(model, "model.onnx")` or `keras-csg export` wrote.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def main(model_path, image_path):
    session = onnxruntime.InferenceSession(model_path)
    properties = session.get_modelmeta().custom_metadata_map
    class_names = json.loads(properties["class_names"])
    (images,) = session.get_inputs()
    _, height, width, _ = images.shape
    dtype = "uint8" if images.type == "tensor(uint8)" else "float32"

    # RGB of the model's shape; its own layers do the rest.
    given = json.loads(properties["keras_csg"])["input"]
    photo = fitted(read_photo(image_path, given), (width, height), given)
    names = [output.name for output in session.get_outputs()]
    answer = dict(
        zip(
            names,
            session.run(names, {images.name: np.asarray(photo, dtype)[None]}),
            strict=True,
        )
    )
    class_id = int(answer["class_id"][0])
    print(f"class           {class_names[class_id]}")
    print(f"probability     {answer['probabilities'][0, class_id]:.4f}")
    if "gate_agreement" in answer:
        print(f"gate agreement  {answer['gate_agreement'][0]:.4f}")
    return class_names[class_id], answer


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
