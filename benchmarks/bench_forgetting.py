"""What is left of a class that was removed, beside never having known it.

    python benchmarks/bench_forgetting.py --no-retrain      # 15 minutes
    python benchmarks/bench_forgetting.py                   # hours

For each class: the gated network without it (`keras_csg.edit.remove_class`),
the ungated one without its column and as many of the filters that tell it
best, and a network that was trained without it. Recall of the class, accuracy
on the others, what a linear probe still tells, a membership inference attack,
and how soon it is learnt again; `forgetting_measures.py` says how.

Each training is a process of its own. What is done is kept in `--out`, and
trainings that were stopped go on from `--runs`.
"""

import json
import multiprocessing
import os
import pathlib
from concurrent import futures

import click
import numpy as np
from chosen_names import chosen_names

from keras_csg.files import write_json

COLUMNS = {
    "recall_before": "recall",
    "recall_without_filters": "w/o filters",
    "others_before": "others",
    "others_after": "after",
    "probe_before": "probe",
    "probe_after": "after",
    "pair_probe": "pairs",
    "membership_before": "attack",
    "membership_after": "after",
    "epochs_until_learnt": "epochs",
}


def measure_edited(network, label):
    """Measures a network before and after a class is removed from it."""
    import forgetting_measures as measures

    from keras_csg.evaluation.edit_figures import edit_figures

    head, removed = network.head, network.filters_of(label)
    features, labels = network.split("test")

    def without(some):
        left = some.copy()
        left[:, removed] = 0
        return head.logits(left)

    own = [network.of_class(split, label) for split in ("train", "test")]
    before = [head.logits(part) for part in own]
    after = [np.delete(without(part), label, axis=1) for part in own]
    logits, fewer = head.logits(features), without(features)
    recalls = edit_figures(
        network.names, labels, logits, np.delete(fewer, label, 1), [label]
    )
    return {
        "filters": [int(number) for number in removed],
        "recall_before": measures.recall(labels, logits, label),
        "recall_on_training_images": float(
            (before[0].argmax(axis=1) == label).mean()
        ),
        "recall_without_filters": measures.recall(labels, fewer, label),
        "others_before": measures.accuracy_of_others(labels, logits, label),
        "others_after": measures.accuracy_of_others(labels, fewer, label),
        "largest_drop": recalls["largest_drop"],
        "probe_before": measures.probe(features, labels, label, []),
        "probe_after": measures.probe(features, labels, label, removed),
        "pair_probe": measures.pair_probe(
            features, labels, label, network.filters_of
        ),
        "membership_before": measures.membership(*before),
        "loss_attack_before": measures.loss_attack(*before, label),
        "membership_after": measures.membership(*after),
    }


def learn_again(smaller, label, train, test, told):
    """Returns how soon a network without a class learns it."""
    import forgetting_measures as measures

    images, labels = test
    recalls = measures.learn_again(
        smaller, label, train, images[labels == label]
    )
    return {
        "recall_learning_again": recalls,
        "epochs_until_learnt": measures.epochs_until(recalls, told),
    }


def forget(names, gated, standard, folder, results, out):
    """Measures both networks without each class, and writes it down."""
    from forgetting_networks import Network

    from keras_csg.training import open_run
    from keras_csg.training.run_data import load_run_data

    run = open_run(gated)
    data = load_run_data(run, run.load_model(), log=lambda text: None)
    networks = {"gated": Network(gated, folder, data)}
    networks["standard"] = Network(
        standard,
        folder,
        data,
        lambda label: len(networks["gated"].filters_of(label)),
    )
    train = data.train.images_and_labels()
    test = data.test.images_and_labels()
    for name in names:
        label = networks["gated"].names.index(name)
        for kind, network in networks.items():
            if kind in results[name]:
                continue
            figures = measure_edited(network, label)
            told = figures["recall_before"]
            smaller = network.without(label)
            figures |= learn_again(smaller, label, train, test, told)
            results[name][kind] = figures
            write_json(out, results)
            print(line(name, kind, figures), flush=True)


def retrain(name, gated, folder, epochs):
    """Trains without a class, or goes on; returns the figures of that."""
    import forgetting_measures as measures
    from forgetting_networks import Network

    import keras_csg
    from keras_csg.training import open_run
    from keras_csg.training.run_data import load_run_data

    source = open_run(gated)
    known = source.load_model()
    names = known.class_names
    label = names.index(name)
    run = folder / f"without-{label}"
    given = {
        "data": source.options.data,
        "image_size": source.options.image_size,
        "backbone": source.options.backbone,
        "classes": ",".join(other for other in names if other != name),
        "epochs": epochs,
    }
    with open(f"{run}.log", "a", buffering=1) as log:
        figures = keras_csg.train(
            run,
            resume=run.exists(),
            log=lambda text: print(text, file=log),
            **({} if run.exists() else given),
        )
    data = load_run_data(source, known, log=lambda text: None)
    before = Network(gated, folder, data)
    features, labels = before.split("test")
    told = measures.recall(labels, before.head.logits(features), label)
    network = Network(run, folder, data)
    features, labels = network.split("test")
    own = [network.of_class(split, label) for split in ("train", "test")]
    return {
        "others_after": figures["accuracy"],
        "probe_after": measures.probe(features, labels, label, []),
        "pair_probe": measures.pair_probe(
            features, labels, label, _filters_of_others(network.head, label)
        ),
        "membership_after": measures.membership(
            *(network.head.logits(part) for part in own)
        ),
        **learn_again(
            network.model,
            label,
            data.train.images_and_labels(),
            data.test.images_and_labels(),
            told,
        ),
        "epochs": epochs,
    }


def _filters_of_others(head, removed):
    """Returns what says which filters a class has, by the numbers of all."""

    def filters_of(label):
        if label == removed:  # It never had any.
            return []
        row = head.require_gate()[label - (label > removed)]
        return np.flatnonzero(row >= 1)

    return filters_of


def line(name, kind, figures):
    """Returns a line of the table."""
    cells = [figures.get(key) for key in COLUMNS]
    texts = [
        "-" if cell is None else f"{cell:.3f}".rstrip("0").rstrip(".")
        for cell in cells
    ]
    return f"{name:12} {kind:10} " + " ".join(f"{text:>11}" for text in texts)


@click.command()
@click.option("--only", help="Names of classes, between commas.")
@click.option("--gated", default="weights:cifar10", show_default=True)
@click.option(
    "--standard", default="weights:cifar10-standard", show_default=True
)
@click.option("--retrain/--no-retrain", "retrains", default=True)
@click.option("--epochs", default=12, show_default=True, help="Of retraining.")
@click.option("--jobs", default=1, show_default=True, help="Side by side.")
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default=pathlib.Path(__file__).parent / "results" / "forgetting.json",
    help="File of the results.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="forgetting",
    show_default=True,
    help="Folder of the trainings.",
)
def main(only, gated, standard, retrains, epochs, jobs, out, runs):
    """Remove each class, and measure what is left of it."""
    from keras_csg.training import open_run

    class_names = open_run(gated).load_model().class_names
    names = chosen_names(only, class_names, "--only")
    results = json.loads(out.read_text()) if out.exists() else {}
    runs.mkdir(parents=True, exist_ok=True)
    for kind in ("TF_NUM_INTRAOP", "OPENBLAS_NUM", "OMP_NUM"):
        cores = max(1, (os.cpu_count() or 1) // jobs)
        os.environ.setdefault(f"{kind}_THREADS", str(cores))
    pool = futures.ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=1,
    )
    for name in names:
        results.setdefault(name, {})
    if not all({"gated", "standard"} <= results[name].keys() for name in names):
        forget(names, gated, standard, runs, results, out)
    with pool:
        begun = {
            pool.submit(retrain, name, gated, runs, epochs): name
            for name in names
            if retrains and "retrained" not in results[name]
        }
        for task in futures.as_completed(begun):
            results[begun[task]]["retrained"] = task.result()
            write_json(out, results)
    print(f"{'':23} " + " ".join(f"{h:>11}" for h in COLUMNS.values()))
    for name, kinds in results.items():
        for kind, figures in kinds.items():
            print(line(name, kind, figures))


if __name__ == "__main__":
    main()
