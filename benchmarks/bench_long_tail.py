"""Classes of uneven size, and what makes up for it: gated and standard.

    python benchmarks/bench_long_tail.py                    # hours
    python benchmarks/bench_long_tail.py --only standard,gated --epochs 12

CIFAR-10 whose training images are thinned out (`train --long-tail 50`); the
test split stays even, so that accuracy there is balanced accuracy. Every run
is a process of its own. What is done is kept in `--out`, and runs that were
stopped go on from `--runs`.
"""

import json
import multiprocessing
import os
import pathlib
from concurrent import futures

import click
from chosen_names import chosen_names

from keras_csg.files import write_json

CURES = {
    "": {},
    " + class weights": {"class_weights": "balanced"},
    " + balanced sampling": {"sampling": "balanced"},
    " + logit adjustment": {"logit_adjustment": 1.0},
}
SETTINGS = {
    f"{kind}{cure}": {"standard": kind == "standard", **options}
    for kind in ("standard", "gated")
    for cure, options in CURES.items()
}
RAREST = 3
"""Number of the rarest classes whose recall has a column of its own."""


def train(name, folder, options):
    """Trains with a setting, in a process of its own; returns figures."""
    import keras_csg

    run = folder / name.replace(" + ", "-").replace(" ", "-")
    given = {} if run.exists() else {**options, **SETTINGS[name]}
    with open(f"{run}.log", "a", buffering=1) as log:
        return keras_csg.train(
            run,
            resume=run.exists(),
            log=lambda line: print(line, file=log),
            **given,
        )


def row(name, figures):
    """Returns a line of the table: figures, and the rarest classes'."""
    recall = figures["class_recall"]
    own = figures.get("filters_per_class")
    columns = (
        figures["balanced_accuracy"],
        figures.get("class_specific_accuracy", float("nan")),
        sum(recall[:RAREST]) / RAREST,
        sum(recall[-RAREST:]) / RAREST,
        figures["mis"],
        figures["specificity"],
    )
    filters = f"{own[0]} to {own[-1]}" if own else "-"
    return f"{name:30} " + " ".join(f"{x:9.3f}" for x in columns), filters


@click.command()
@click.option("--only", help="Names of settings, between commas.")
@click.option("--factor", default=50.0, show_default=True)
@click.option("--epochs", default=24, show_default=True)
@click.option("--data", default="cifar10", show_default=True)
@click.option("--jobs", default=1, show_default=True, help="Runs side by side.")
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default=pathlib.Path(__file__).parent / "results" / "long_tail.json",
    help="File of the results.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="long_tail",
    show_default=True,
    help="Folder of the runs.",
)
def main(only, factor, epochs, data, jobs, out, runs):
    """Train on a long-tailed set, with and without cures, and compare."""
    names = chosen_names(only, SETTINGS, "--only")
    results = json.loads(out.read_text()) if out.exists() else {}
    runs.mkdir(parents=True, exist_ok=True)
    for kind in ("TF_NUM_INTRAOP", "OPENBLAS_NUM", "OMP_NUM"):
        cores = max(1, (os.cpu_count() or 1) // jobs)
        os.environ.setdefault(f"{kind}_THREADS", str(cores))
    options = {"data": data, "epochs": epochs, "long_tail": factor}
    pool = futures.ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=1,
    )
    with pool:
        begun = {
            pool.submit(train, name, runs, options): name
            for name in names
            if name not in results
        }
        for done in futures.as_completed(begun):
            results[begun[done]] = done.result()
            write_json(out, results)
    heads = "balanced specific frequent rare MIS specificity".split()
    print(f"{'':30} " + " ".join(f"{head:>9.9}" for head in heads), "filters")
    for name, figures in results.items():
        print(*row(name, figures))


if __name__ == "__main__":
    main()
