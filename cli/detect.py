import click

from keras_csg_cli.broken_files import about_broken
from keras_csg_cli.options import (
    UserMistake,
    data_dir_option,
    json_option,
    listed,
    load_library,
    run_argument,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line

COLUMNS = ("roc_auc", "aupr", "fpr_at_95_tpr", "error", "flagged")


@click.group(short_help="Tell unknown and attacked images from known ones.")
def detect():
    """Tell images that a network does not know, and attacked ones.

    `detect fit` learns what clean images look like to the network in a run and
    keeps a detector there; `detect score` asks it.
    """


@detect.command(short_help="Fit a detector and keep it in a run.")
@run_argument
@json_option
@click.option(
    "--attacks",
    metavar="pgd,fgsm",
    multiple=True,
    help="Attacks to test it on; see `keras-csg attack`.",
)
@click.option(
    "--unknown",
    metavar="noise,DIR",
    multiple=True,
    help="Unknown images to test it on: noise, colours, textures, shapes, "
    "patches; held-out, the classes of --hold-out-classes; or folders.",
)
@click.option(
    "--score",
    default="surprise",
    show_default=True,
    help="What it goes by; logistic and forest learn from --attacks and "
    "--unknown.",
)
@click.option(
    "--false-alarm-rate",
    type=float,
    default=0.05,
    show_default=True,
    help="Share of clean images that may be flagged.",
)
@click.option(
    "--epsilon",
    default="8/255",
    show_default=True,
    help="Strength of the attacks, as a share of the range of pixels.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Images of each kind.",
)
@click.option("--seed", type=click.IntRange(0), default=0)
@click.option("--batch-size", type=click.IntRange(1), default=128)
@data_dir_option
def fit(run_path, as_json, attacks, unknown, **options):
    """Fit a detector on the clean images of RUN, and test it.

    It learns from training images, its threshold is that of the validation
    split, and the figures are of the test split. Writes RUN/detector and
    RUN/detection.json. A run without a gate works: it is the baseline.
    """
    load_library()
    from keras_csg import commands

    with user_mistakes():
        figures = commands.fit_detector(
            run_path,
            attacks=listed(attacks),
            unknown=listed(unknown),
            log=say,
            **options,
        )
    if as_json:
        print_json(figures)
        return
    _print_figures(figures, run_path)


@detect.command(short_help="Say whether a network knows what images show.")
@run_argument
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@json_option
def score(run_path, images, as_json):
    """Say of each IMAGE whether the network in RUN knows what it shows.

    IMAGE is a file, a folder of them or a pattern such as "photos/*.jpg". The
    score is the share of clean images that are less strange. Broken files are
    named at the end.
    """
    from keras_csg import commands
    from keras_csg.commands.arguments import check_there
    from keras_csg_cli.tracking import tracking

    with user_mistakes():  # Before what takes seconds.
        images = commands.find_images(images, log=say)
        check_there(images)
    load_library()
    with user_mistakes():
        count, found = commands.score_images(run_path, images)
    shown, broken = [], []
    with tracking() as track, user_mistakes():
        for entry in track(found, "Scoring", count):
            if "error" in entry:
                broken.append(entry["error"])
            if as_json:
                shown.append(entry)
            elif "error" not in entry:
                print_line(_line(entry))
    if as_json:
        print_json(shown)
    if broken:
        raise UserMistake(about_broken(broken, count, "score"))


def _line(entry):
    score = f"score {entry['anomaly_score']:.3f}"
    if not entry["known"]:
        return f"{entry['image']}: not one of the known classes ({score})"
    return (
        f"{entry['image']}: known, {entry['class_name']} "
        f"{entry['probability']:.1%} ({score})"
    )


def _print_figures(figures, run_path):
    from keras_csg_cli.tables import Table, print_table

    images = figures["images"]
    print_line(
        f"{figures['score']}: {figures['flagged']:.1%} of "
        f"{images['tested_on']:,} clean test images are flagged; asked for "
        f"were {figures['false_alarm_rate']:.1%}, found on "
        f"{images['calibrated_on']:,} of validation."
    )
    if not figures["kinds"]:
        return
    table = Table("images", title=f"{run_path}: told from clean ones")
    for name in COLUMNS:
        table.add_column(name.replace("_", " "), justify="right")
    for kind, found in figures["kinds"].items():
        cells = [f"{found[name]:.3f}" for name in COLUMNS]
        table.add_row(kind, *cells)
    print_table(table)
