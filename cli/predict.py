import click

from keras_csg.choices import MOST_PIXELS
from keras_csg_cli.broken_files import about_broken
from keras_csg_cli.options import (
    ANY_PATH,
    UserMistake,
    json_option,
    load_library,
    say,
    trust_option,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line


@click.command(short_help="Classify images with a run or an exported file.")
@click.argument("model_path", metavar="RUN|FILE", type=ANY_PATH)
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
    type=ANY_PATH,
    help="Draw each image into this folder, with where the evidence for its "
    "predicted class lies.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=MOST_PIXELS,
    help="Larger files count as broken (default: 178,956,970).",
)
@click.option(
    "--out",
    metavar="FILE",
    type=ANY_PATH,
    help="Write to a .csv or .jsonl file instead of printing.",
)
@trust_option
def predict(model_path, images, as_json, top, heatmaps, max_pixels, out, trust):
    """Classify each IMAGE with the network in RUN or in an exported FILE.

    FILE is a .keras file or what `keras-csg export` wrote: an ONNX or a LiteRT
    file, the folder of a SavedModel, of OpenVINO or of a model laid out for a
    server or a browser. For RUN, weights:NAME stands for a trained network
    that came with the package. IMAGE is a file, a
    folder of them or a pattern such as "photos/*.jpg".

    With a detector, that of FILE or the one that `keras-csg detect fit` saved
    with RUN, it says which images show none of the known classes.

    Beside the probabilities: what the class-specific head says, and the
    filters that speak most for the predicted class. Broken files are named at
    the end.
    """
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    if out is not None and as_json:
        raise UserMistake("--out and --json cannot go together.")
    with user_mistakes():  # Before what takes seconds.
        commands.check_source(model_path)
        images = commands.find_images(images, log=say)
    if commands.needs_tensorflow(model_path):
        load_library()
    with user_mistakes():
        count, predictions = commands.predict_images(
            model_path,
            images,
            top=top,
            heatmaps=heatmaps,
            max_pixels=max_pixels,
            trust=trust,
        )
        if out is not None:
            predictions = commands.write_predictions(predictions, out)
    shown, broken = [], []
    with tracking() as track, user_mistakes():
        for prediction in track(predictions, "Predicting", count):
            if "error" in prediction:
                broken.append(prediction["error"])
            if as_json:
                shown.append(prediction)
            elif out is None and "error" not in prediction:
                _print(prediction)
    if as_json:
        print_json(shown)
    if broken:
        raise UserMistake(about_broken(broken, count, "prediction"))
    if out is not None:
        say(f"Wrote {count:,} predictions to {out}")


def _print(prediction):
    print_line(prediction["image"])
    if "anomaly_score" in prediction or "known" in prediction:
        print_line(f"  {_familiarity(prediction)}")
    for entry in prediction["classes"]:
        print_line(f"  {entry['probability']:7.2%}  {entry['class_name']}")
    if "present" in prediction:
        print_line(f"  present: {_listed(prediction['present'])}")
    if "class_specific" in prediction:
        entries = prediction["class_specific"]
        if "present" not in prediction:
            entries = [entries]
        print_line(f"  class-specific head: {_listed(entries)}")
    if "gate_agreement" in prediction:
        agreement = prediction["gate_agreement"]
        print_line(f"  gate agreement: {agreement:.2%}")
    if "filters" in prediction:
        filters = ", ".join(map(_filter, prediction["filters"]))
        print_line(f"  filters that speak for it: {filters or 'none'}")
    if "heatmap" in prediction:
        print_line(f"  heatmap: {prediction['heatmap']}")


def _familiarity(prediction):
    """Returns whether it is one of the classes, and the score if there is."""
    score = ""
    if "anomaly_score" in prediction:
        score = f"score {prediction['anomaly_score']:.2f}"
    if "known" not in prediction:
        return f"anomaly {score}"
    if prediction["known"]:
        return f"known ({score})" if score else "known"
    score = f" ({score})" if score else ""
    return f"not one of the known classes{score}; the nearest:"


def _filter(entry):
    name = f" {entry['name']}" if "name" in entry else ""
    return f"{entry['filter']}{name} ({entry['share']:.0%})"


def _listed(entries):
    """Returns classes with their probabilities."""
    return (
        ", ".join(
            f"{entry['class_name']} ({entry['probability']:.2%})"
            for entry in entries
        )
        or "none"
    )
