import json
import pathlib

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
    of a SavedModel or of a model laid out for a server.

    Beside the probabilities: what the class-specific head says, and the
    filters that speak most for the predicted class.
    """
    load_library()
    from keras_csg.deployment.prediction import predict_files

    with user_mistakes():
        source = open_source(model_path)
        predictions = predict_files(source, images, top=top, heatmaps=heatmaps)
    if as_json:
        click.echo(json.dumps(predictions, indent=2))
        return
    for prediction in predictions:
        _print(prediction)


def open_source(path):
    """Returns what `predict_files` asks: a run's model or an exported one.

    Raises:
        ValueError: if `path` is neither.
    """
    from keras_csg.deployment import find_model, open_exported
    from keras_csg.training import Run

    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(f"There is neither a run nor an exported file {path}.")
    if Run(path).config_path.exists():
        return Run.open(path).load_model()
    if find_model(path) is None:
        raise ValueError(
            f"{path} is neither a run nor an exported model: it has no "
            "config.json, no saved_model.pb and no version of a model."
        )
    return open_exported(path)


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
