import json

import click

from keras_csg_cli.options import (
    json_option,
    load_library,
    run_argument,
    say,
    user_mistakes,
)


@click.command(short_help="Measure a trained run.")
@run_argument
@json_option
@click.option(
    "--data-dir",
    type=click.Path(),
    help="Where the run's data are now, if they moved.",
)
@click.option("--batch-size", type=click.IntRange(1), default=128)
def evaluate(run_path, as_json, data_dir, batch_size):
    """Measure the network in RUN on the test split of its data.

    Prints a table and writes RUN/metrics.json.
    """
    load_library()
    from keras_csg import evaluation
    from keras_csg.training import Run
    from keras_csg.training.trainer import load_run_data

    with user_mistakes():
        run = Run.open(run_path)
        model = run.load_model()
        data = load_run_data(run.options, data_dir=data_dir, log=say)
    metrics = evaluation.evaluate(model, data.test, batch_size)
    metrics = {**run.read_metrics(), **metrics}
    with user_mistakes():
        run.write_metrics(metrics)
    if as_json:
        click.echo(json.dumps(metrics, indent=2))
        return
    from keras_csg_cli.tables import print_metrics

    print_metrics(metrics, title=f"{run_path} on the test split")
