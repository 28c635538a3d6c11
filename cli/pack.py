import click

from keras_csg_cli.options import (
    ANY_PATH,
    held_out_options,
    load_library,
    say,
    splitting_options,
    user_mistakes,
)


@click.command(short_help="Pack a folder into a set of record files.")
@click.argument("folder", metavar="FOLDER", type=ANY_PATH)
@click.argument("out", metavar="OUT", type=ANY_PATH)
@click.option("--name", help="What the set is called (default: as the folder).")
@click.option(
    "--shorter-side",
    type=click.IntRange(1),
    metavar="PIXELS",
    help="Shrink larger images to that, as JPEG (default: keep the files).",
)
@held_out_options
@splitting_options
def pack(folder, out, **settings):
    """Pack the images of FOLDER into a set of TensorFlow Datasets in OUT.

    With the splits that a training on FOLDER has. Record files are read in
    order, which is faster than a file for each image where those are many or
    far away.
    """
    load_library()
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    with user_mistakes(), tracking() as track:
        path = commands.pack(folder, out, track=track, log=say, **settings)
    say(
        f"Wrote {path}. Train with: keras-csg train --data {path.parent.name} "
        f"--data-dir {out}"
    )
