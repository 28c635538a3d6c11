import dataclasses

import click

from keras_csg_cli.completion import complete_shipped
from keras_csg_cli.options import load_library, user_mistakes
from keras_csg_cli.printing import print_json, print_line

SHOWN = {
    "accuracy": "accuracy",
    "class_specific_accuracy": "class-specific",
    "mis": "MIS",
    "specificity": "specificity",
}


@click.command(short_help="List the trained networks of the package.")
@click.argument("name", required=False, shell_complete=complete_shipped)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def weights(name, as_json):
    """List the trained networks that come with the package, or show one's card.

    Every command that takes RUN takes weights:NAME; `train --weights NAME`
    starts from one. --json shows every figure and option.
    """
    load_library()
    from keras_csg import commands

    with user_mistakes():
        cards = commands.list_weights(name)
    if as_json:
        entries = [dataclasses.asdict(card) for card in cards]
        print_json(entries if name is None else entries[0])
    elif not cards:
        print_line("None come with this version.")
    elif name is None:
        _print_table(cards)
    else:
        _print_card(cards[0])


def _print_table(cards):
    from keras_csg_cli.tables import Table, print_table

    table = Table("weights", "what it is")
    for heading in SHOWN.values():
        table.add_column(heading, justify="right")
    for card in cards:
        figures = [card.figures.get(figure) for figure in SHOWN]
        cells = ["-" if f is None else f"{f:.3f}" for f in figures]
        table.add_row(card.source, card.description, *cells)
    print_table(table)


def _print_card(card):
    from keras_csg_cli.tables import print_metrics

    size = card.path.stat().st_size
    lines = {
        "what it is": card.description,
        "data": card.data,
        "classes": ", ".join(card.class_names),
        "licence": card.licence,
        "file": f"{size / 1e6:.1f} MB, sha256 {card.sha256}",
        "trained with": ", ".join(f"{k} {v}" for k, v in card.versions.items()),
    }
    print_line(card.source)
    for heading, text in lines.items():
        print_line(f"  {heading}: {text}")
    for limit in card.limits:
        print_line(f"  limit: {limit}")
    print_metrics(card.figures, title=f"{card.source} on the test split")
