import time

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
from keras_csg_cli.printing import print_json, print_line


@click.command(short_help="Write all there is to say of a run as one page.")
@run_argument
@click.option(
    "--out",
    type=ANY_PATH,
    default="report.html",
    show_default=True,
    help="The page.",
)
@click.option(
    "--against",
    metavar="RUN2",
    type=ANY_PATH,
    help="Another run of the same classes, such as the ungated one, to set RUN "
    "side by side with.",
)
@data_dir_option
@click.option(
    "--card",
    type=ANY_PATH,
    help="The model card as Markdown (default: NAME.card.md beside the page).",
)
@click.option(
    "--license",
    metavar="NAME",
    help="Licence of the weights for the card, such as apache-2.0.",
)
@click.option(
    "--images-per-filter",
    type=click.IntRange(1),
    default=9,
    show_default=True,
    help="Images that each filter answers to most; fewer where they do not "
    "fit.",
)
@click.option("--batch-size", type=click.IntRange(1), default=64)
@json_option
def report(run_path, as_json, **settings):
    """Write all there is to say of RUN as one page, and as a model card.

    For people who did not train it: what it was trained on, its figures and
    what they mean, every class, calibration, the gate, its filters and their
    images, and what went wrong. The page opens from the disk, asks the network
    for nothing and has less than 10 MB. RUN may be weights:NAME, one of
    `keras-csg weights`.
    """
    start = time.perf_counter()
    load_library()
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    with user_mistakes(), tracking() as track:
        path = commands.report(run_path, track=track, log=say, **settings)
    size = path.stat().st_size
    seconds = time.perf_counter() - start
    if as_json:
        told = {"path": str(path), "bytes": size, "seconds": round(seconds, 2)}
        print_json(told)
        return
    print_line(f"Wrote {path}: {size / 1e6:.1f} MB, in {seconds:.0f} seconds.")
