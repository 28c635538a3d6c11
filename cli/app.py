import click

from keras_csg_cli.options import (
    data_dir_option,
    load_library,
    run_argument,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_line


@click.command(short_help="Try a run by hand in the browser.")
@run_argument
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at. Others reach all but the default: there is no "
    "password.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port to listen at (default: a free one).",
)
@click.option(
    "--no-browser",
    is_flag=True,
    help="Do not open the page in the browser.",
)
@data_dir_option
@click.option(
    "--no-galleries",
    is_flag=True,
    help="Leave out the images that fire each filter most: starts sooner.",
)
def app(run_path, no_browser, no_galleries, **settings):
    """Serve a page on which the network in RUN is tried by hand.

    Show it a picture, from a file or the camera: the page has the classes, the
    heatmap, and the filters that decide, each with the images of the test split
    that fire it most. Switch filters off and see the answer change. RUN may be
    weights:NAME, one of `keras-csg weights`.

    Prints the address. Needs `pip install 'keras-csg[app]'`. The page asks
    nothing of other machines; pictures are removed when it ends.
    """
    load_library()
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    with user_mistakes():
        with tracking() as track:
            served = commands.app(
                run_path,
                open_browser=not no_browser,
                galleries=not no_galleries,
                track=track,
                log=say,
                block=False,
                **settings,
            )
        print_line(served.url)
    served.wait()
