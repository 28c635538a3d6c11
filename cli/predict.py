import json

import click

from keras_csg_cli.options import (
    json_option,
    load_library,
    user_mistakes,
)


@click.command(short_help="Classify images with a run or an exported file.")
@click.argument("model_path", metavar="RUN|FILE", type=click.Path())
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@json_option
@click.option(
    "--top",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Classes to show for each image.",
)
@click.option(
    "--heatmap",
    "heatmaps",
    metavar="DIR",
    type=click.Path(),
    help="Draw each image into this folder, with where the evidence for its "
    "predicted class lies.",
)
def predict(model_path, images, as_json, top, heatmaps):
    """Classify each IMAGE with the network in RUN or in an exported FILE.

    FILE is what `keras-csg export` wrote: an ONNX or a LiteRT file, the folder
    of a SavedModel or of a model laid out for a server. For RUN, weights:NAME
    stands for a trained network that came with the package.

    Beside the probabilities: what the class-specific head says, and the
    filters that speak most for the predicted class.
    """
    load_library()
    from keras_csg import commands

    with user_mistakes():
        predictions = commands.predict(
            model_path, images, top=top, heatmaps=heatmaps
        )
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
    if "gate_agreement" in prediction:
        agreement = prediction["gate_agreement"]
        click.echo(f"  gate agreement: {agreement:.2%}")
    if "filters" in prediction:
        filters = ", ".join(
            f"{f['filter']} ({f['share']:.0%})" for f in prediction["filters"]
        )
        click.echo(f"  filters that speak for it: {filters or 'none'}")
    if "heatmap" in prediction:
        click.echo(f"  heatmap: {prediction['heatmap']}")
