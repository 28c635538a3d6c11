import click

from keras_csg import choices
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

PIXELS = ("mean_linf", "mean_l2", "epsilon", "median_distance")
"""Figures that are shares of the range of a pixel: shown in its 255 steps."""


@click.command(short_help="Attack a run: how accurate is it then?")
@run_argument
@json_option
@click.option(
    "--method",
    type=click.Choice(choices.ATTACKS),
    default="pgd",
    show_default=True,
    help="fgsm and pgd go by the gradient; the others are those of "
    "adversarial-robustness-toolbox: pip install 'keras-csg[attacks]'.",
)
@click.option(
    "--epsilon",
    metavar="SHARE",
    help="How far an image may be moved, as a share of the range of its "
    "pixels: 8/255 or 0.03 (default: 8/255, with l2 128/255).",
)
@click.option(
    "--norm",
    type=click.Choice(choices.NORMS),
    help="How that is measured: the largest change of a value, or the root "
    "of the sum of squares (default: linf; of deepfool and cw l2).",
)
@click.option(
    "--targeted", is_flag=True, help="Aim at a class, any but the image's."
)
@click.option(
    "--head",
    type=click.Choice(choices.HEADS),
    default="standard",
    show_default=True,
    help="The head that is attacked; both are measured.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Images to attack, spread over the test split (default: all).",
)
@click.option(
    "--from",
    "source",
    metavar="RUN2",
    type=ANY_PATH,
    help="A run whose network the images are made to mislead instead.",
)
@click.option(
    "--detector",
    metavar="DIR",
    type=ANY_PATH,
    help="A detector of attacks that this one knows and misleads, too; with "
    "pgd.",
)
@click.option(
    "--save",
    metavar="DIR",
    type=ANY_PATH,
    help="Write the attacked images there, as PNG files with an index.csv.",
)
@click.option("--data", help="Other data of the same classes.")
@data_dir_option
@click.option("--seed", type=click.IntRange(0), default=0)
@click.option("--batch-size", type=click.IntRange(1), default=100)
def attack(run_path, as_json, method, **settings):
    """Attack the network in RUN: change images so that it is wrong.

    By little changes that people hardly see. Prints how accurate both heads
    are before and after, how often it succeeds and how far it had to go, and
    writes RUN/attack.json. RUN may be weights:NAME, one of `keras-csg
    weights`.
    """
    load_library()
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    with tracking() as track, user_mistakes():
        figures = commands.attack(
            run_path, method, track=track, log=say, **settings
        )
    if as_json:
        print_json(figures)
        return
    from keras_csg_cli.tables import print_metrics

    shown = {name: value for name, value in figures.items() if value != ""}
    if shown.get("source") is None:
        shown.pop("source", None)
    for name in PIXELS:
        if shown.get(name) is not None:
            steps = f"{255 * shown[name]:.2f}/255"
            shown[name] = f"{shown[name]:.4f} ({steps})"
    print_metrics(shown, title=f"{run_path} on the test split")
