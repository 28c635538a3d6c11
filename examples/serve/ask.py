r"""Asks `keras-csg serve` about photographs, with the standard library alone.

    keras-csg serve birds.onnx
    python examples/serve/ask.py http://127.0.0.1:8080/v2/models/birds \
        one.jpg two.png

Expected: a line for each JPEG or PNG file, with its class, the probability, and
how far the class's own filters alone agree; or what is wrong with it. All are
asked about at once, from as many threads: the server joins what waits into
batches. Programs that hold pixels ask in tensors, over HTTP or gRPC, with any
client of the Open Inference Protocol: docs/serving.md.
"""

import argparse
import concurrent.futures
import json
import pathlib
import urllib.error
import urllib.request

SECONDS = 60


def ask(url, path):
    """Returns what the server says of a photograph."""
    photo = pathlib.Path(path).read_bytes()
    try:
        with urllib.request.urlopen(f"{url}/infer", photo, SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def describe(answer):
    """Returns an answer as a line."""
    if "error" in answer:
        return answer["error"]
    likeliest = answer["classes"][0]
    line = f"{likeliest['class_name']}, "
    line += f"probability {likeliest['probability']:.3f}"
    if "gate_agreement" in answer:
        agreement = answer["gate_agreement"]
        line += f", its own filters alone {agreement:.3f}"
    return line


def main(arguments=None):
    options = argparse.ArgumentParser()
    options.add_argument("url", help="Address of the model.")
    options.add_argument("photos", nargs="+")
    args = options.parse_args(arguments)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda path: ask(args.url, path), args.photos)
        for path, answer in zip(args.photos, answers, strict=True):
            print(f"{path}: {describe(answer)}")


if __name__ == "__main__":
    main()
