"""Makes a finished run one of the weights that come with the package.

python benchmarks/ship_weights.py RUN NAME --description TEXT --data TEXT
    --limit TEXT --limit TEXT
"""

import click

from keras_csg.backbones.weights.shipped.cards import FOLDER
from keras_csg.training import open_run
from keras_csg.training.shipping import ship


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("name")
@click.option("--description", required=True, help="What it is, in a line.")
@click.option("--data", required=True, help="What it was trained on.")
@click.option("--limit", "limits", multiple=True, required=True)
@click.option("--licence", default="Apache-2.0", show_default=True)
def main(run, name, **texts):
    """Write the file of the weights NAME, and their card, from RUN."""
    path = FOLDER / f"{name}.keras"
    ship(open_run(run), path, **texts)
    click.echo(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
