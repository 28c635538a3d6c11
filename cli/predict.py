import json

import click

from keras_csg_cli.options import (
    json_option,
    load_library,
    run_argument,
    user_mistakes,
)


@click.command(short_help="Classify images with a trained run.")
@run_argument
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@json_option
@click.option(
    "--top",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Classes to show for each image.",
)
def predict(run_path, images, as_json, top):
    """Classify each IMAGE with the network in RUN.

    Beside the probabilities: what the class-specific head says, and the
    filters that speak most for the predicted class.
    """
    load_library()
    from keras_csg.prediction import predict_files
    from keras_csg.training import Run

    with user_mistakes():
        model = Run.open(run_path).load_model()
        predictions = predict_files(model, images, top=top)
    if as_json:
        click.echo(json.dumps(predictions, indent=2))
        return
    for prediction in predictions:
        _print(prediction)


def _print(prediction):
    click.echo(prediction["image"])
    for entry in prediction["classes"]:
        click.echo(f"  {entry['probability']:7.2%}  {entry['class_name']}")
    if "class_specific" in prediction:
        entry = prediction["class_specific"]
        click.echo(
            f"  class-specific head: {entry['class_name']} "
            f"({entry['probability']:.2%})"
        )
        filters = ", ".join(
            f"{f['filter']} ({f['share']:.0%})" for f in prediction["filters"]
        )
        click.echo(f"  filters that speak for it: {filters or 'none'}")
