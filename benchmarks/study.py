"""What each part of the training is for: short runs that differ in one thing.

    python benchmarks/study.py                  # CIFAR-10, hours
    python benchmarks/study.py --only standard,default --seeds 0,1
    python benchmarks/study.py --data digits --epochs 20

Every run is a process of its own; `--jobs` of them go side by side, a thread
each where there are as many as cores. The figures of a run are written to
`--out` when it ends, the losers' too, and what is there is not done again; runs
that were stopped go on from `--runs`.
"""

import contextlib
import functools
import json
import multiprocessing
import os
import pathlib
from concurrent import futures
from unittest import mock

import click
from chosen_names import chosen_names

from keras_csg.files import write_json

CLOSING = "keras_csg.models.gate_scheduler.CLOSING_SHARE"
BUDGET = "keras_csg.layers.gate_budget.GateBudget.budget"
LEAST = "keras_csg.models.classifier.GateBudget"

BASE = {"filter_dropout": 0.6875}
"""What every setting starts from beside the defaults."""

SETTINGS = {
    "standard": {"standard": True},
    "base": {},
    "off-class variance 0.3": {"lambda_6": 0.3},
    "off-class variance 1": {"lambda_6": 1.0},
    "off-class variance alone": {"lambda_5": 0.0, "lambda_6": 1.0},
    "no off-class share": {"lambda_5": 0.0},
    "off-class share 3": {"lambda_5": 3.0},
    "no complement": {"lambda_4": 0.0},
    "complement 1": {"lambda_4": 1.0},
    "no class-specific head": {"lambda_3": 0.0},
    "no gated path": {"lambda_1": 0.0},
    "no filter dropout": {"filter_dropout": 0.0},
    "filter dropout 0.5": {"filter_dropout": 0.5},
    "filter dropout 0.9": {"filter_dropout": 0.9},
    "closed after 0.25": {},
    "closed after 0.8": {},
    "closed in a line": {},
    "closed at once": {},
    "no least share": {},
    "least share 0.75": {},
    "hard gate": {},
    "penalty": {"lambda_2": 0.1},
    "penalty alone": {
        "lambda_2": 0.1,
        "lambda_3": 0.0,
        "lambda_4": 0.0,
        "lambda_5": 0.0,
    },
}
COLUMNS = {
    "accuracy": "accuracy",
    "class_specific_accuracy": "class-specific",
    "complement_accuracy": "complement",
    "complement_probability": "its p",
    "removed_own_recall": "without own",
    "removed_other_recall": "others",
    "mis": "MIS",
    "own_class_mis": "own MIS",
    "specificity": "specificity",
    "class_agreement": "agreement",
    "residual_information": "residual",
    "probe_auc": "probe",
    "cross_class_correlation": "correlation",
    "shuffled_class_specific_accuracy": "shuffled",
    "l1_density": "density",
}


def patches(name):
    """Returns what a setting changes that is no option."""
    from keras_csg.layers.gate_budget import GateBudget

    def in_a_line(self, progress):
        return self.target + (1 - self.target) * (1 - progress)

    def at_once(self, progress):
        return self.target + 0 * progress

    least = functools.partial(functools.partial, GateBudget)
    return {
        "closed after 0.25": lambda: [mock.patch(CLOSING, 0.25)],
        "closed after 0.8": lambda: [mock.patch(CLOSING, 0.8)],
        "closed in a line": lambda: [mock.patch(BUDGET, in_a_line)],
        "closed at once": lambda: [mock.patch(BUDGET, at_once)],
        "no least share": lambda: [mock.patch(LEAST, least(least_share=0.0))],
        "least share 0.75": lambda: [
            mock.patch(LEAST, least(least_share=0.75))
        ],
        "hard gate": _hard_gate,
    }.get(name, list)()


def _hard_gate():
    """Rounds the gate that a step reads; the gradient passes through."""
    from keras import ops

    from keras_csg.layers.csg_gate import CSGGate
    from keras_csg.models.head import ClassSpecificHead

    rows, initialize = CSGGate.rows, ClassSpecificHead.__init__

    def rounded(values):
        hard = ops.cast(values >= 0.5, values.dtype)
        return values + ops.stop_gradient(hard - values)

    def with_rounded_gate(self, head, gate):
        initialize(self, head, gate)
        self._read = lambda: (
            head.kernel,
            head.bias,
            rounded(ops.convert_to_tensor(gate.gate_matrix)),
        )

    return [
        mock.patch.object(
            CSGGate, "rows", lambda self, y: rounded(rows(self, y))
        ),
        mock.patch.object(ClassSpecificHead, "__init__", with_rounded_gate),
    ]


def train(name, seed, folder, options):
    """Trains with a setting, in a process of its own, and returns figures."""
    import keras_csg

    run = folder / f"{name.replace(' ', '-')}-{seed}"
    resume = run.exists()
    given = {} if resume else {**options, **SETTINGS[name], "seed": seed}
    with contextlib.ExitStack() as stack:
        for patch in patches(name):
            stack.enter_context(patch)
        with open(f"{run}.log", "a", buffering=1) as log:
            stack.enter_context(contextlib.redirect_stdout(log))
            return keras_csg.train(run, resume=resume, **given)


def row(key, figures):
    values = " ".join(
        f"{figures.get(name, float('nan')):>{len(label)}.3f}"
        for name, label in COLUMNS.items()
    )
    return f"{key:26} {values}"


def todo(names, seeds, results):
    for seed in seeds:
        for name in names:
            if f"{name}, {seed}" not in results:
                yield name, seed


@click.command()
@click.option("--only", help="Names of settings, between commas.")
@click.option("--seeds", default="0", show_default=True)
@click.option("--data", default="cifar10", show_default=True)
@click.option("--epochs", default=6, show_default=True)
@click.option("--jobs", default=1, show_default=True, help="Runs side by side.")
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="study",
    show_default=True,
    help="Folder of the runs.",
)
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path),
    help="File of the results (default: results/study_DATA.json).",
)
def main(only, seeds, data, epochs, jobs, runs, out):
    """Train with settings that differ in one thing, and show the figures."""
    here = pathlib.Path(__file__).parent
    out = out or here / "results" / f"study_{pathlib.Path(data).name}.json"
    results = json.loads(out.read_text()) if out.exists() else {}
    print(f"{'':26} {' '.join(COLUMNS.values())}")
    for key, figures in results.items():
        print(row(key, figures))
    runs.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    for kind in ("TF_NUM_INTRAOP", "OPENBLAS_NUM", "OMP_NUM"):
        os.environ.setdefault(f"{kind}_THREADS", str(threads))
    pool = futures.ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=1,
    )
    options = {**BASE, "data": data, "epochs": epochs}
    with pool:
        begun = {
            pool.submit(train, name, seed, runs, options): f"{name}, {seed}"
            for name, seed in todo(
                chosen_names(only, SETTINGS, "--only"),
                [int(seed) for seed in seeds.split(",")],
                results,
            )
        }
        for done in futures.as_completed(begun):
            results[begun[done]] = done.result()
            write_json(out, results)
            print(row(begun[done], done.result()), flush=True)


if __name__ == "__main__":
    main()
