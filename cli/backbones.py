import click

from keras_csg_cli.options import load_library, say, user_mistakes
from keras_csg_cli.printing import print_json


@click.command(short_help="List the networks that can be trained.")
@click.argument("pattern", metavar="[FILTER]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def backbones(pattern, as_json):
    """List the backbones, or those whose name or family contains FILTER.

    Case, "-" and "_" do not count: `res-net50` finds resnet50 and resnet50v2.
    `hub:` lists KerasHub's image presets, `hub:resnet` those of ResNets;
    `--backbone` takes them by that name.
    """
    load_library()
    from keras_csg.backbones import describe_backbones, describe_presets
    from keras_csg.choices import HUB_PREFIX
    from keras_csg.commands.input_error import input_errors

    if pattern and pattern.startswith(HUB_PREFIX):
        with user_mistakes(), input_errors():
            entries = describe_presets()
    else:
        entries = describe_backbones()
    if pattern:
        entries = _matching(entries, pattern)
    if as_json:
        print_json(entries)
    else:
        _print_table(entries)
    if not pattern:
        say("More by `--backbone hub:PRESET`: `keras-csg backbones hub:`.")


def _matching(entries, pattern):
    wanted = _plain(pattern.removeprefix("hub:"))
    found = [
        entry
        for entry in entries
        if wanted in _plain(entry["name"]) or wanted in _plain(entry["family"])
    ]
    if not found:
        raise click.BadParameter(
            f"expected a part of a backbone's name or family{_hint(pattern)}. "
            f"Received: {pattern}",
            param_hint="FILTER",
        )
    return found


def _hint(pattern):
    from keras_csg.backbones.registry import nearest_names

    names = nearest_names(pattern)
    return f"; the nearest names are {', '.join(names)}" if names else ""


def _plain(text):
    return text.lower().translate(str.maketrans("", "", "-_ "))


def _print_table(entries):
    from keras_csg_cli.tables import Table, print_table

    table = Table("name", "family")
    for heading in ("parameters", "filters", "default size", "smallest image"):
        table.add_column(heading, justify="right")
    table.add_column("weights")
    for entry in entries:
        table.add_row(*_cells(entry))
    print_table(table)


def _cells(entry):
    return (
        entry["name"],
        entry["family"] or "-",
        _human(entry["parameters"]),
        str(entry["filters"] or "-"),
        str(entry["default_size"] or "-"),
        str(entry["min_size"] or "-"),
        ", ".join(entry["weights"]) or "-",
    )


def _human(number):
    """Returns a count in three digits, such as `270 k` or `23.6 M`."""
    if number is None:
        return "-"
    if number < 1e6:
        return f"{number / 1e3:.3g} k"
    return f"{number / 1e6:.3g} M"
