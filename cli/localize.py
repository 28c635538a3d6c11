import json

import click

from keras_csg_cli.options import (
    json_option,
    load_library,
    run_argument,
    say,
    user_mistakes,
)

SANITY_IMAGES = 16
NO_GAME = (
    "No grid pointing game of {}x{}: it takes {} classes with an image that is "
    "classified rightly, with a probability of at least 0.9."
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
        annotated = load_images(run, model, asked)
    name = "sanity" if sanity else "localization"
    rows = (measure_sanity if sanity else measure)(model, annotated, asked)
    results = to_json(rows, annotated, asked, sanity)
    with user_mistakes():
        write_json(run.path / f"{name}.json", results)
        if not sanity:
            picture = run.path / "localization.png"
            output.save_picture(model, annotated, picture)
    if as_json:
        click.echo(json.dumps(results, indent=2))
        return
    title = f"{run_path}: {results['images']} images of the test split"
    (output.print_sanity if sanity else output.print_rows)(rows, title)


def load_images(run, model, asked):
    """Returns the `AnnotatedImages` to look at."""
    from keras_csg.data import load_annotated, load_annotated_images
    from keras_csg.training import load_run_data

    how = {name: asked[name] for name in ("part", "masks", "limit")}
    if asked["data"] is None:
        data_dir = asked["data_dir"]
        data = load_run_data(run, model, data_dir=data_dir, log=say)
        return load_annotated(data, **how)
    return load_annotated_images(
        asked["data"],
        model.class_names,
        model.backbone.input_shape[1:3],
        data_dir=asked["data_dir"] or run.options.data_dir,
        log=say,
        **how,
    )


def measure(model, annotated, asked):
    """Returns the figures of every map, by the names of map and figure."""
    from keras_csg.evaluation.grid_pointing import grid_report
    from keras_csg.evaluation.localization import localization_report
    from keras_csg_cli.localize_output import tracking

    images, labels, masks = annotated
    rows = {}
    with tracking() as track:
        if masks is not None:
            rows = localization_report(
                model, annotated, batch_size=asked["batch_size"], track=track
            )
        sides = (2, 3) if masks is None or asked["grid"] else ()
        for side in sides:
            shares = grid_report(
                model,
                images,
                labels,
                side,
                mosaics=asked["mosaics"],
                track=track,
            )
            if shares is None:
                say(NO_GAME.format(side, side, side**2))
            for name, value in (shares or {}).items():
                rows.setdefault(name, {})[f"grid_{side}x{side}"] = value
    return rows


def measure_sanity(model, annotated, asked):
    """Returns how alike the maps stay, by depth."""
    from keras_csg.explain import cascading_randomization

    images, labels, _ = annotated
    step = max(1, len(images) // SANITY_IMAGES)
    chosen = slice(None, step * SANITY_IMAGES, step)
    return cascading_randomization(
        model, images[chosen], labels[chosen], gated=model.gated
    )


def to_json(rows, annotated, asked, sanity):
    """Returns what a program might read of the figures."""
    from keras_csg.evaluation.localization import flat_figures

    count = len(annotated.images)
    if sanity:
        return {"images": min(count, SANITY_IMAGES), "depths": rows}
    known = annotated.masks is not None
    results = {"images": count, "part": asked["part"] if known else None}
    results |= flat_figures(rows)
    game = rows.get("gated_cam", rows.get("cam", {})).get("grid_2x2")
    return results if game is None else results | {"grid_pointing_game": game}
