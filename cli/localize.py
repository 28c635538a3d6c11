import json

import click

from keras_csg_cli.options import (
    json_option,
    load_library,
    run_argument,
    say,
    user_mistakes,
)


@click.command(short_help="Measure where the maps of a run point.")
@run_argument
@json_option
@click.option("--data", help="Other annotated images of the run's classes.")
@click.option(
    "--data-dir",
    type=click.Path(),
    help="Where the data are now, if they moved.",
)
@click.option(
    "--part",
    default="object",
    show_default=True,
    help="What the maps should point at: object, head, leg, ...",
)
@click.option(
    "--masks", type=click.Path(), help="A folder of mask files of the images."
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Images to look at, spread over the test split.",
)
@click.option("--batch-size", type=click.IntRange(1), default=16)
@click.option(
    "--grid",
    is_flag=True,
    help="Play the grid pointing game too where there are annotations.",
)
@click.option(
    "--mosaics",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Mosaics of the grid pointing game.",
)
@click.option(
    "--sanity",
    is_flag=True,
    help="Instead, compare the maps with those of a network ever more random.",
)
def localize(run_path, as_json, sanity, **asked):
    """Measure where the maps of RUN point: at the object, or elsewhere.

    Class activation, gradient and activation maps of the test split, each with
    and without the gate, against masks or boxes: those of the data set, or a
    folder's boxes.csv or masks. Without any, by the grid pointing game.

    Prints a table and writes RUN/localization.json and localization.png; with
    --sanity, RUN/sanity.json.
    """
    load_library()
    from keras_csg.files import write_json
    from keras_csg.training import Run
    from keras_csg_cli import localize_output as output

    with user_mistakes():
        run = Run.open(run_path)
        model = run.load_model()
        annotated = load_images(run.options, model, asked)
    name = "sanity" if sanity else "localization"
    rows, results = (measure_sanity if sanity else measure)(
        model, annotated, asked
    )
    with user_mistakes():
        write_json(run.path / f"{name}.json", results)
        if not sanity:
            draw(model, annotated, run.path / "localization.png")
    if as_json:
        click.echo(json.dumps(results, indent=2))
        return
    title = f"{run_path}: {results['images']} images of the test split"
    (output.print_sanity if sanity else output.print_rows)(rows, title)


def load_images(options, model, asked):
    """Returns the `AnnotatedImages` to look at."""
    from keras_csg.data.annotated_images import load_annotated
    from keras_csg.training.trainer import load_run_data

    where = {
        "data_dir": asked["data_dir"] or options.data_dir,
        "part": asked["part"],
        "limit": asked["limit"],
    }
    if asked["data"] is not None:
        return load_other_images(asked["data"], model, asked["masks"], where)
    data = load_run_data(options, data_dir=asked["data_dir"], log=say)
    return load_annotated(data, masks=asked["masks"], **where)


def load_other_images(name, model, masks, where):
    """Returns the `AnnotatedImages` of other data than the run's."""
    from keras_csg.data import load_data
    from keras_csg.data.annotated_images import load_annotated
    from keras_csg.data.sources.tfds_annotations import load_annotated_tfds
    from keras_csg.data.sources.tfds_builder import is_known

    size = model.backbone.input_shape[1:3]
    if is_known(name):
        found = load_annotated_tfds(name, model.class_names, size, **where)
        if found is not None:
            return found
    data = load_data(name, data_dir=where["data_dir"], image_size=size, log=say)
    if data.class_names != model.class_names:
        raise ValueError(
            "The images must be of the run's classes "
            f"({', '.join(model.class_names or [])}). Received: data={name!r}, "
            f"of {', '.join(data.class_names)}"
        )
    return load_annotated(data, masks=masks, **where)


def measure(model, annotated, asked):
    """Returns the figures of every map, for a table and for JSON."""
    from keras_csg.evaluation import evaluate_maps
    from keras_csg_cli.localize_output import tracking

    settings = ("part", "batch_size", "grid", "mosaics")
    with tracking() as track:
        return evaluate_maps(
            model,
            annotated,
            **{name: asked[name] for name in settings},
            track=track,
            log=say,
        )


def measure_sanity(model, annotated, asked):
    """Returns how alike the maps stay, for a table and for JSON."""
    from keras_csg.evaluation import evaluate_sanity

    results = evaluate_sanity(model, annotated)
    return results["depths"], results


def draw(model, annotated, path):
    """Draws some images with the maps of their classes."""
    from keras_csg import plots
    from keras_csg.explain import map_gallery

    images, maps, masks, titles = map_gallery(model, annotated)
    plots.save_maps(images, maps, path, masks=masks, titles=titles)
