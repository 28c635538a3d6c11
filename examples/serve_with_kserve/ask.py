"""Asks a server of the Open Inference Protocol V2 about photographs.

    pip install 'tritonclient[grpc]' pillow
    python examples/serve_with_kserve/ask.py birds one.jpg two.jpg

Expected: a line for each photograph, with its class, the probability, and how
far the class's own filters alone agree. All are asked about at once, from as
many threads: the server joins what waits into batches.
"""

import argparse
import concurrent.futures
import json
import sys

import numpy as np
from PIL import Image, ImageOps

try:
    import tritonclient.grpc as client
except ImportError as error:
    sys.exit(f"{error}: pip install 'tritonclient[grpc]'")

OUTPUTS = ("class_id", "probabilities", "gate_agreement")
DTYPES = {"FP32": "float32", "UINT8": "uint8"}


def ask(server, model, path):
    """Returns what the server says of a photograph, as a line."""
    metadata = server.get_model_metadata(model)
    (wanted,) = metadata.inputs
    _, height, width, _ = wanted.shape
    # Upright RGB of the model's size, cropped as most networks are trained;
    # `input` of the file's metadata says how images got their size. Its own
    # layers do the rest.
    photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    photo = ImageOps.fit(photo, (width, height), Image.Resampling.BILINEAR)
    images = np.asarray(photo, DTYPES[wanted.datatype])[None]
    tensor = client.InferInput(wanted.name, images.shape, wanted.datatype)
    tensor.set_data_from_numpy(images)
    offered = {output.name for output in metadata.outputs}
    answer = server.infer(
        model,
        [tensor],
        outputs=[
            client.InferRequestedOutput(n) for n in OUTPUTS if n in offered
        ],
    )
    return f"{path}: {describe(answer)}"


def describe(answer):
    parameters = answer.get_response().parameters
    (name,) = json.loads(parameters["class_names"].string_param)
    probability = answer.as_numpy("probabilities")[0].max()
    line = f"{name}, probability {probability:.3f}"
    agreement = answer.as_numpy("gate_agreement")
    if agreement is not None:
        line += f", its own filters alone {agreement[0]:.3f}"
    return line


def main(arguments=None):
    options = argparse.ArgumentParser()
    options.add_argument("model", help="What the server calls the model.")
    options.add_argument("photos", nargs="+")
    options.add_argument("--url", default="localhost:8081")
    args = options.parse_args(arguments)
    with (
        client.InferenceServerClient(args.url) as server,
        concurrent.futures.ThreadPoolExecutor(8) as threads,
    ):
        asked = [
            threads.submit(ask, server, args.model, path)
            for path in args.photos
        ]
        for answer in asked:
            print(answer.result())


if __name__ == "__main__":
    main()
