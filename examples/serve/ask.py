r"""Asks `keras-csg serve` about photographs, with the standard library alone.

    keras-csg serve birds.onnx
    python examples/serve/ask.py http://127.0.0.1:8080/v2/models/birds \
        one.jpg two.png

Expected: a line for each JPEG or PNG file, with its class, the probability, and
how far the class's own filters alone agree; of a file with a detector, whether
it shows one of the classes at all. What is wrong with one is a line
on stderr, and the exit code is then 2. All are asked about at once, from as
many threads: the server joins what waits into batches. Programs that hold
pixels ask in tensors, over HTTP or gRPC, with any client of the Open Inference
Protocol: docs/serving.md.
"""

import argparse
import concurrent.futures
import http.client
import json
import pathlib
import sys
import urllib.error
import urllib.request

SECONDS = 60


def ask(url, path):
    """Returns what the server says of a photograph, or the `error`."""
    try:
        photo = pathlib.Path(path).read_bytes()
    except OSError as error:
        return {"error": f"cannot be read: {error.strerror}"}
    try:
        with urllib.request.urlopen(f"{url}/infer", photo, SECONDS) as answer:
            return as_answer(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return {"error": str(error), **as_answer(error.read())}
    except urllib.error.URLError as error:
        return {"error": f"no server answers at {url}: {error.reason}"}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"error": f"no answer from {url}: {error}"}


def as_answer(text):
    """Returns what a server wrote, if it is one that answers so."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.keys() & {"error", "classes"}:
        return answer
    return {"error": "what answers there is no `keras-csg serve`"}


def describe(answer):
    """Returns an answer as a line."""
    likeliest = answer["classes"][0]
    line = f"{likeliest['class_name']}, "
    line += f"probability {likeliest['probability']:.3f}"
    if not answer.get("known", True):
        line = f"not one of the known classes; the nearest is {line}"
    if "anomaly_score" in answer:
        line += f", anomaly score {answer['anomaly_score']:.2f}"
    if "gate_agreement" in answer:
        agreement = answer["gate_agreement"]
        line += f", its own filters alone {agreement:.3f}"
    return line


def main(arguments=None):
    options = argparse.ArgumentParser()
    options.add_argument("url", help="Address of the model.")
    options.add_argument("photos", nargs="+")
    args = options.parse_args(arguments)
    wrong = False
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda path: ask(args.url, path), args.photos)
        for path, answer in zip(args.photos, answers, strict=True):
            if "error" in answer:
                wrong = True
                line = " ".join(str(answer["error"]).split())
                print(f"{path}: {line}", file=sys.stderr)
            else:
                print(f"{path}: {describe(answer)}")
    return 2 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
