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

HEADS = {"accuracy": "", "class_specific_accuracy": ", class-specific"}


@click.command(short_help="Measure a run on attacked and spoiled images.")
@run_argument
@json_option
@click.option(
    "--against",
    metavar="RUN2",
    type=ANY_PATH,
    help="Another run on the same data, such as the ungated one.",
)
@click.option(
    "--attacks",
    metavar="A,B,...",
    default="fgsm,pgd",
    show_default=True,
    help=f"Of {', '.join(choices.BOUNDED_ATTACKS)}; none for none.",
)
@click.option(
    "--epsilons",
    metavar="E,E,...",
    default="1/255,2/255,4/255,8/255",
    show_default=True,
    help="Strengths of the attacks, as shares of the range of a pixel.",
)
@click.option(
    "--norm",
    type=click.Choice(choices.NORMS),
    default="linf",
    show_default=True,
    help="How the strengths are measured.",
)
@click.option(
    "--corruptions",
    metavar="A,B,...",
    default=",".join(choices.CORRUPTIONS),
    help=f"Of {', '.join(choices.CORRUPTIONS)} (default: all); none for none.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Images to look at, spread over the test split.",
)
@click.option("--data", help="Other data of the same classes.")
@data_dir_option
@click.option("--seed", type=click.IntRange(0), default=0)
@click.option("--batch-size", type=click.IntRange(1), default=100)
def robustness(run_path, as_json, **settings):
    """Measure how accurate RUN stays as its images get worse.

    Under attacks of several strengths, and blurred, noisy, foggy, compressed
    at five levels. Each head is attacked by itself. Prints a table and writes
    RUN/robustness.json and the curves, RUN/robustness.png. RUN may be
    weights:NAME, one of `keras-csg weights`.
    """
    load_library()
    from keras_csg import commands
    from keras_csg_cli.tracking import tracking

    with tracking() as track, user_mistakes():
        figures = commands.measure_robustness(
            run_path, track=track, log=say, **settings
        )
    if as_json:
        print_json(figures)
    else:
        _print(figures)


def _print(figures):
    from keras_csg_cli.tables import Table, print_table

    runs = figures["runs"]
    columns = [
        (run, head) for run in runs for head in HEADS if head in runs[run]
    ]
    table = Table(
        "images",
        title=f"Accuracy on {figures['images']:,} images of the test split",
    )
    for run, head in columns:
        table.add_column(run + HEADS[head], justify="right")
    if len(runs) == 2:
        table.add_column("difference", justify="right")
    whole = figures.get("differences", {})
    clean = [_cell(runs[r][h]) for r, h in columns]
    table.add_row("as they are", *clean, *_difference(whole.get("clean")))
    for kind in ("attack", "corruption"):
        curves = [c for c in figures["curves"] if c["kind"] == kind]
        if not curves:
            continue
        table.add_section()
        for curve in curves:
            for label, cells in _rows(curve, columns):
                table.add_row(label, *cells)
        means = [_cell(runs[r].get(f"mean_{kind}_{h}")) for r, h in columns]
        difference = _difference(whole.get(kind))
        table.add_row(f"mean of the {kind}s", *means, *difference)
    print_table(table)


def _rows(curve, columns):
    """Returns a row for each strength of an attack, one for a corruption."""
    name = curve["change"].replace("_", " ")
    points = [curve["runs"][run][head] for run, head in columns]
    if curve["kind"] == "corruption":
        return [(name, [*_means(points), *_difference(curve)])]
    rows = [
        (f"{name} {strength}", [_cell(found[number]) for found in points])
        for number, strength in enumerate(curve["strengths"])
    ]
    rows.append((f"{name}, mean", [*_means(points), *_difference(curve)]))
    return rows


def _means(points):
    return [_cell(sum(found) / len(found)) for found in points]


def _difference(curve):
    """Returns a cell with the difference and its standard error, if any."""
    if not curve or "difference" not in curve:
        return []
    error = curve["standard_error"]
    about = "" if error is None else f" ± {error:.3f}"
    return [f"{curve['difference']:+.3f}{about}"]


def _cell(value):
    return "" if value is None else f"{value:.3f}"
