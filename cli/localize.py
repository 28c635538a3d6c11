import click

from keras_csg_cli.options import (
    ANY_PATH,
    data_dir_option,
    json_option,
    load_library,
    run_argument,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json


@click.command(short_help="Measure where the maps of a run point.")
@run_argument
@json_option
@click.option("--data", help="Other annotated images of the run's classes.")
@data_dir_option
@click.option(
    "--part",
    default="object",
    show_default=True,
    help="What the maps should point at: object, head, leg, ...",
)
@click.option(
    "--masks", type=ANY_PATH, help="A folder of mask files of the images."
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
def localize(run_path, as_json, sanity, batch_size, grid, mosaics, **images):
    """Measure where the maps of RUN point: at the object, or elsewhere.

    Class activation, gradient and activation maps of the test split, each with
    and without the gate, against masks or boxes: those of the data set, or a
    folder's boxes.csv or masks. Without any, by the grid pointing game. RUN may
    be weights:NAME, one of `keras-csg weights`.

    Prints a table and writes RUN/localization.json and localization.png; with
    --sanity, RUN/sanity.json.
    """
    load_library()
    from keras_csg import commands
    from keras_csg_cli import localize_output as output
    from keras_csg_cli.tracking import tracking

    with user_mistakes():
        if sanity:
            results = commands.sanity_check(run_path, log=say, **images)
        else:
            with tracking() as track:
                rows, results = commands.localize(
                    run_path,
                    batch_size=batch_size,
                    grid=grid,
                    mosaics=mosaics,
                    track=track,
                    log=say,
                    **images,
                )
    if as_json:
        print_json(results)
        return
    title = f"{run_path}: {results['images']} images of the test split"
    if sanity:
        output.print_sanity(results["depths"], title)
    elif rows:  # Else it was said why there are none.
        output.print_rows(rows, title)
