import click

from keras_csg import choices
from keras_csg_cli.options import (
    ANY_PATH,
    UserMistake,
    data_dir_option,
    json_option,
    load_library,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line

NEEDS_GATE = (
    "class-specific, own, complement and gated accuracy, density and interval "
    "of the gate, filters per class, ablation, shuffled gate"
)


@click.command(short_help="Measure one or several trained runs.")
@click.argument(
    "run_paths", metavar="RUN...", nargs=-1, required=True, type=ANY_PATH
)
@click.option(
    "--against",
    metavar="RUN",
    type=ANY_PATH,
    help="Another run on the same data, such as the ungated one, to set RUN "
    "side by side with.",
)
@json_option
@click.option(
    "--mis-variant",
    type=click.Choice(choices.MIS_VARIANTS),
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
    "--data",
    help="Data of the same classes to measure on (default: the run's).",
)
@data_dir_option
@click.option("--batch-size", type=click.IntRange(1), default=128)
def evaluate(run_paths, against, as_json, **settings):
    """Measure the network in each RUN on the test split of its data.

    Prints a table and writes RUN/metrics.json and, of a gated network,
    RUN/ablation.png; of other --data, RUN/metrics-DATA.json. Of several runs
    it prints the mean and the standard deviation as well. A RUN may be
    weights:NAME, one of `keras-csg weights`.
    """
    paths = [*run_paths, *([against] if against is not None else [])]
    if against is not None and len(run_paths) != 1:
        raise UserMistake(
            "--against takes one RUN to set side by side with. "
            f"Received: {len(run_paths)} runs"
        )
    load_library()
    from keras_csg import commands

    with user_mistakes():
        whole = commands.evaluate_runs(
            paths, against=against is not None, log=say, **settings
        )
    results = whole.pop("runs")
    if as_json:
        single = len(paths) == 1
        shown = results[paths[0]] if single else {"runs": results, **whole}
        print_json(shown)
        return
    _print_tables(results, whole)


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
            print_line(f"{path}: not measured without a gate: {NEEDS_GATE}.")
