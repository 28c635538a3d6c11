import dataclasses

import click

from keras_csg_cli.printing import print_json


@click.command(short_help="List the recipes for training.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def recipes(as_json):
    """List the recipes: options for `train --recipe NAME` that go together.

    Options beside it win over those of the recipe. --json shows all of them.
    """
    from keras_csg.training.recipes import list_recipes

    known = list_recipes()
    if as_json:
        entries = [dataclasses.asdict(recipe) for recipe in known]
        print_json(entries)
        return
    from keras_csg_cli.tables import Table, print_table

    table = Table("name", "what it is for", "needs")
    for recipe in known:
        needs = ", ".join(
            f"--{name.replace('_', '-')}" for name in recipe.needs
        )
        table.add_row(recipe.name, recipe.description, needs or "-")
    print_table(table)
