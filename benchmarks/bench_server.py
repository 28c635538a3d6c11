"""Requests a second of `keras-csg serve`, beside ONNX Runtime by itself.

python benchmarks/bench_server.py   # about two minutes

Several clients ask at once, in processes of their own, over HTTP in binary
tensors, over HTTP with JPEG files, and over gRPC. One request in ten is wrong,
and all are checked: the right ones against ONNX Runtime called directly, the
wrong ones for their refusal. None may be lost.
"""

import collections
import io
import json
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import click
import numpy as np
from PIL import Image
from server_clients import CLIENTS

from keras_csg.serving.opening import open_to_serve

RESULTS = pathlib.Path(__file__).parent / "results" / "server.json"
WRONG = 10  # One in so many.
IMAGES = 32


def some_pictures(shape):
    """Returns images such as JPEG leaves them, as pixels and as files."""
    rng = np.random.default_rng(0)
    pixels, files = [], []
    for _ in range(IMAGES):
        coarse = rng.integers(0, 256, (5, 5, 3), "uint8")
        picture = Image.fromarray(coarse).resize(shape[1::-1], 1)
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=90)
        files.append(stream.getvalue())
        decoded = Image.open(stream, formats=["JPEG"])
        pixels.append(np.asarray(decoded, "float32"))
    return np.stack(pixels), files


Server = collections.namedtuple("Server", "http grpc name")


def one_client(kind, server, number, requests, pictures, expected, start):
    """Asks so many times; returns what came of it and the seconds."""
    client = CLIENTS[kind](server)
    client.right(pictures[0][0], pictures[1][0])
    counts, seconds = collections.Counter(), []
    start.wait()
    for turn in range(requests):
        row = (7 * number + turn) % IMAGES
        given = pictures[0][row], pictures[1][row]
        began = time.perf_counter()
        if turn % WRONG == WRONG - 1:
            counts["refused" if client.wrong(*given) else "not refused"] += 1
            continue
        status, probabilities = client.right(*given)
        seconds.append(time.perf_counter() - began)
        wanted = expected[row]
        if len(probabilities) == 1:
            wanted = wanted.max(keepdims=True)
        same = status == 200 and np.allclose(probabilities, wanted, atol=1e-4)
        counts["right" if same else "not right"] += 1
    return counts, seconds


def measure(kind, server, clients, requests, pictures, expected):
    """Lets several clients ask at once; returns the figures."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(clients) as pool:
        start = manager.Barrier(clients + 1)
        tasks = [
            pool.apply_async(
                one_client,
                (kind, server, number, requests // clients)
                + (pictures, expected, start),
            )
            for number in range(clients)
        ]
        start.wait()
        began = time.perf_counter()
        done = [task.get() for task in tasks]
        elapsed = time.perf_counter() - began
    counts = sum((counts for counts, _ in done), collections.Counter())
    milliseconds = 1e3 * np.concatenate([seconds for _, seconds in done])
    asked = requests // clients * clients
    return {
        "requests_per_second": round(asked / elapsed, 1),
        "p50_ms": round(float(np.percentile(milliseconds, 50)), 2),
        "p99_ms": round(float(np.percentile(milliseconds, 99)), 2),
        "requests": asked,
        "lost": asked - sum(counts.values()),
        **counts,
    }


def measure_directly(answer, pixels, batch, seconds=3):
    """Returns images a second of ONNX Runtime, called in this process."""
    answer(pixels[:batch])
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        answer(pixels[:batch])
        count += batch
    return {
        "images_per_second": round(count / (time.perf_counter() - began), 1)
    }


def start_server(path, options):
    """Starts a server; returns the process and its addresses."""
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_csg_cli.main", "serve", path]
        + ["--port", "0", "--grpc-port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = process.stdout.readline().strip()
    line = process.stderr.readline()
    host, _, name = address.removeprefix("http://").partition("/v2/models/")
    grpc_address = line.rpartition(" and ")[2].partition(",")[0]
    server = Server(tuple(host.split(":")), grpc_address, name)
    return process, server


def export(source, folder):
    """Returns the path of an ONNX file of a run, or the file that is given."""
    if str(source).endswith(".onnx"):
        return pathlib.Path(source)
    import keras_csg

    keras_csg.export_run(source, folder, log=None)
    return folder / "model.onnx"


@click.command()
@click.option("--source", default="weights:cifar10", show_default=True)
@click.option("--requests", default=2000, show_default=True)
@click.option("--clients", default=8, show_default=True)
@click.option("--option", "options", multiple=True, help="Of keras-csg serve.")
@click.option("--out", default=RESULTS, type=pathlib.Path)
def main(source, requests, clients, options, out):
    """Measure a server, and write the figures down."""
    with tempfile.TemporaryDirectory() as folder:
        path = export(source, pathlib.Path(folder))
        exported = open_to_serve(path, None)  # As the server does.
        shape = exported.metadata.input["shape"][1:]
        pictures = some_pictures(shape)
        expected = exported.answer(pictures[0])["probabilities"]
        found = {
            f"ONNX Runtime, batch {batch}": measure_directly(
                exported.answer, pictures[0], batch
            )
            for batch in (1, clients)
        }
        process, server = start_server(path, options)
        try:
            for kind in CLIENTS:
                found[kind] = measure(
                    kind, server, clients, requests, pictures, expected
                )
                print(kind, found[kind], flush=True)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    settings = {
        "source": source,
        "shape": list(shape),
        "clients": clients,
        "options": list(options),
        "processors": os.cpu_count(),
        "runtime": exported.runtime,
    }
    out.write_text(json.dumps({**settings, "found": found}, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
