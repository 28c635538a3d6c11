import difflib
import json
import os

import click

from keras_csg_cli.options import (
    UserMistake,
    json_option,
    load_library,
    say,
    user_mistakes,
)

NEEDS_GATE = (
    "class-specific, own, complement and gated accuracy, density and interval "
    "of the gate, filters per class, ablation, shuffled gate"
)


@click.command(short_help="Measure one or several trained runs.")
@click.argument(
    "run_paths", metavar="RUN...", nargs=-1, required=True, type=click.Path()
)
@click.option(
    "--against",
    metavar="RUN",
    type=click.Path(),
    help="Another run on the same data, such as the ungated one, to set RUN "
    "side by side with.",
)
@json_option
@click.option(
    "--mis-variant",
    type=click.Choice(["paper", "picnn"]),
    default="paper",
    show_default=True,
    help="picnn adds the score over the maps summed before the last ReLU.",
)
@click.option(
    "--ablate",
    metavar="CLASS",
    help="Draw the confusion matrices without the filters of this class, and "
    "with them alone: RUN/ablation-NUMBER.png.",
)
@click.option(
    "--data-dir",
    type=click.Path(),
    help="Where the run's data are now, if they moved.",
)
@click.option("--batch-size", type=click.IntRange(1), default=128)
def evaluate(run_paths, against, as_json, **settings):
    """Measure the network in each RUN on the test split of its data.

    Prints a table and writes RUN/metrics.json and, of a gated network,
    RUN/ablation.png. Of several runs it prints the mean and the standard
    deviation as well.
    """
    paths = _distinct([*run_paths, *([against] if against else [])])
    if against and len(run_paths) != 1:
        raise UserMistake(
            "--against takes one RUN to set side by side with. "
            f"Received: {len(run_paths)} runs"
        )
    load_library()
    with user_mistakes():
        runs = _open(paths)
    results = {
        path: _measure(run, **settings)
        for path, run in zip(paths, runs, strict=True)
    }
    _print(results, bool(against), as_json)


def _distinct(paths):
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise UserMistake(
            f"The same run is named twice. Received: {', '.join(paths)}"
        )
    return paths


def _open(paths):
    """Opens the runs, which must all be of the same data."""
    from keras_csg.training import Run

    runs = [Run.open(path) for path in paths]
    first = runs[0].options.data
    for path, run in zip(paths, runs, strict=True):
        data = run.options.data
        if data != first and os.path.realpath(data) != os.path.realpath(first):
            raise ValueError(
                f"Runs on different data cannot be compared: {paths[0]} is on "
                f"{first}, {path} on {data}."
            )
    return runs


def _measure(run, ablate, mis_variant, data_dir, batch_size):
    """Measures a run and writes down what it found."""
    from keras_csg.evaluation import classification as evaluation
    from keras_csg.training import load_run_data

    with user_mistakes():
        if not os.access(run.path, os.W_OK):
            raise ValueError(f"Cannot write to {run.path}.")
        known = _known(run)
        model = run.load_model()
        data = load_run_data(run, model, data_dir=data_dir, log=say)
        label = None if ablate is None else _label(model, data, ablate)
        say(f"Measuring {run.path}")
        samples = evaluation.collect_samples(
            model, data.test, batch_size, mis_variant
        )
    metrics = evaluation.measure(model, samples, run.path / "ablation.png")
    if label is not None:
        path = run.path / f"ablation-{label}.png"
        evaluation.save_ablation_confusion(model, samples, label, path)
        say(f"Drew {path}")
    # The figures in their order, then what only the training knew.
    metrics |= {k: v for k, v in known.items() if k not in metrics}
    with user_mistakes():
        run.write_metrics(metrics)
    return metrics


def _label(model, data, name):
    """Returns the number of the class that is called `name`."""
    if not model.gated:
        raise ValueError(
            "--ablate needs a network with a gate: without one no filter "
            "belongs to a class."
        )
    if name not in data.class_names:
        near = difflib.get_close_matches(name, data.class_names, n=3, cutoff=0)
        raise ValueError(
            f"There is no class {name!r}; the nearest are {', '.join(near)}."
        )
    return data.class_names.index(name)


def _known(run):
    try:
        return run.read_metrics()
    except ValueError as error:
        raise ValueError(
            f"{run.metrics_path} is damaged: {error}. Remove it."
        ) from error


def _print(results, against, as_json):
    from keras_csg.evaluation.run_statistics import (
        difference,
        mean_and_deviation,
    )

    runs = list(results.values())
    together = {}
    if against:
        together = {"difference": difference(*runs)}
    elif len(runs) > 1:
        mean, deviation = mean_and_deviation(runs)
        together = {"mean": mean, "standard_deviation": deviation}
    if as_json:
        whole = {"runs": results, **together} if together else runs[0]
        click.echo(json.dumps(whole, indent=2))
        return
    _print_tables(results, together)


def _print_tables(results, together):
    from keras_csg_cli.tables import print_columns, print_metrics

    if together:
        words = [(k.replace("_", " "), v) for k, v in together.items()]
        print_columns([*results.items(), *words], title="On the test split")
    else:
        ((path, metrics),) = results.items()
        print_metrics(metrics, title=f"{path} on the test split")
    for path, metrics in results.items():
        if "l1_density" not in metrics:
            click.echo(f"{path}: not measured without a gate: {NEEDS_GATE}.")
