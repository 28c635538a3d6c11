"""Whether memory, open files and threads stay as they are in long use.

    python benchmarks/soak.py                      # about half an hour
    python benchmarks/soak.py --phase onnx --out soak.json

1,000 predictions, 200 explanations, 500 openings of each exported format (50 of
a SavedModel), 30 builds with a short training, 10,000 requests to a server of
which one in ten is wrong: each in a process of its own, each answer checked.
Memory is what the process itself holds (`RssAnon` of Linux). It is flat when it
ends within 2 % of what it was after the first tenth of the turns, in medians of
a tenth; of what also grows with Keras alone, when it grows no more than that
(`compare`).
"""

import gc
import json
import multiprocessing
import os
import pathlib
import signal
import statistics
import tempfile
import threading
import time

import bench_server
import click
import soak_phases
from server_clients import CLIENTS

RESULTS = pathlib.Path(__file__).parent / "results" / "soak.json"
POINTS = 100
FLAT = 0.02
REQUESTS = 10_000
ROUNDS = 5
SERVED = "served requests"


def held(pid="self"):
    """Returns memory in MB, open files and threads of a process."""
    process = pathlib.Path("/proc") / str(pid)
    lines = (process / "status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return (
        round(int(fields["RssAnon"].split()[0]) / 1024, 2),
        len(os.listdir(process / "fd")),
        int(fields["Threads"]),
    )


def soak(name, source, folder, turns, sender):
    """Does a phase in this process; sends its curve."""
    turn = soak_phases.phase(name, source, folder)
    every = max(1, turns // POINTS)
    right, curve, began = 0, [], time.perf_counter()
    for number in range(1, turns + 1):
        right += turn()
        if number % every == 0:
            gc.collect()  # What a turn leaves in cycles waits for no one else.
            curve.append(held())
    seconds = time.perf_counter() - began
    sender.send((turns, right, curve, seconds, operations_kept()))


def operations_kept():
    """Returns how many operations of graphs nobody has let go of."""
    names = (type(thing).__name__ for thing in gc.get_objects())
    return sum(name == "Operation" for name in names)


def soak_in_a_process(name, source, folder, turns):
    """Returns turns, right answers, the curve, seconds, and what was kept."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(False)
    arguments = name, source, folder, turns, sender
    process = context.Process(target=soak, args=arguments)
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise SystemExit(f"The phase {name!r} failed: see above.") from None
    finally:
        process.join()


def serve(source, folder, requests):
    """Returns the same of a server, asked in all ways by eight clients."""
    folder = pathlib.Path(folder) / "served"
    folder.mkdir()
    path = bench_server.export(source, folder)
    exported = bench_server.open_to_serve(path, None)
    pictures = bench_server.some_pictures(exported.metadata.input["shape"][1:])
    expected = exported.answer(pictures[0])["probabilities"]
    process, server = bench_server.start_server(path, [])
    curve, ended, began = [], threading.Event(), time.perf_counter()

    def look():
        while not ended.wait(0.2):
            curve.append(held(process.pid))

    found = []
    try:
        # So that all kinds have been asked before, by more at a time: what
        # threads eight clients need are there.
        for kind in CLIENTS:
            bench_server.measure(kind, server, 16, 800, pictures, expected)
        watcher = threading.Thread(target=look)
        watcher.start()
        part = requests // (ROUNDS * len(CLIENTS))
        for kind in ROUNDS * tuple(CLIENTS):  # Early and late alike.
            found.append(
                bench_server.measure(kind, server, 8, part, pictures, expected)
            )
    finally:
        ended.set()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    watcher.join()
    asked = sum(figures["requests"] for figures in found)
    right = sum(f.get("right", 0) + f.get("refused", 0) for f in found)
    return asked, right, curve, time.perf_counter() - began


def judge(turns, right, curve, seconds, operations=None):
    """Returns the figures of a phase."""
    tenth = max(1, len(curve) // 10)
    # The first tenth is when caches fill; the second is what must stay.
    early, late = curve[tenth : 2 * tenth], curve[-tenth:]
    before, after = (
        statistics.median(point[0] for point in part) for part in (early, late)
    )
    growth = after / before - 1
    return {
        "turns": turns,
        "right": right,
        "seconds": round(seconds, 1),
        "megabytes": [before, after],
        "growth": round(growth, 4),
        "files": [early[0][1], late[-1][1]],
        "threads": [early[0][2], late[-1][2]],
        "holds": bool(
            right == turns
            and growth <= FLAT
            and late[-1][1] <= early[0][1]
            and late[-1][2] <= early[0][2]
        ),
        "operations_kept": operations,
        "curve_megabytes": [point[0] for point in curve],
    }


def compare(found):
    """Forgives what grows no more than the same does with Keras alone.

    TensorFlow keeps the graph of each function it has taken the gradient of, so
    what counts is the growth by an operation of those graphs: a gated step has
    more of them than a plain one.
    """
    for name, figures in found.items():
        plain = found.get(f"{name}{soak_phases.OF_KERAS}")
        if plain is None or figures["growth"] <= FLAT:
            continue
        ours, theirs = (
            (each["megabytes"][1] - each["megabytes"][0])
            / each["operations_kept"]
            for each in (figures, plain)
        )
        figures["beside_keras"] = round(ours / theirs, 3)
        figures["holds"] = bool(
            figures["right"] == figures["turns"] and ours <= 1.1 * theirs
        )


@click.command()
@click.option("--source", default="weights:cifar10", show_default=True)
@click.option("--phase", "phases", multiple=True, help="One alone, or more.")
@click.option("--times", default=1.0, show_default=True, help="As many turns.")
@click.option("--out", default=RESULTS, type=pathlib.Path)
def main(source, phases, times, out):
    """Use the package for long, and write down what it held."""
    phases = phases or (*soak_phases.TURNS, SERVED)
    found = json.loads(out.read_text()) if out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        if set(phases) & set(soak_phases.FORMATS):
            import keras_csg

            formats = list(soak_phases.FORMATS)
            keras_csg.export_run(source, folder, formats=formats, log=None)
        for name in phases:
            if name == SERVED:
                figures = serve(source, folder, round(REQUESTS * times))
            else:
                turns = round(soak_phases.TURNS[name] * times)
                figures = soak_in_a_process(name, source, folder, turns)
            found[name] = judge(*figures)
            print(name, {**found[name], "curve_megabytes": "..."}, flush=True)
            out.write_text(json.dumps(found) + "\n")
    compare(found)
    out.write_text(json.dumps(found) + "\n")
    ours = [name for name in phases if not name.endswith(soak_phases.OF_KERAS)]
    if not all(found[name]["holds"] for name in ours):
        raise SystemExit("Not everything stays as it is: see above.")


if __name__ == "__main__":
    main()
