"""The smallest backbone of each family, trained on digits as by default.

    python benchmarks/bench_families.py                       # hours
    python benchmarks/bench_families.py --families vgg,resnet

Images are 32 pixels wide, or as small as the network takes. What is done is
kept in `--out`, and runs that were stopped go on from `--runs`.
"""

import json
import pathlib
import subprocess
import sys

import click
from chosen_names import chosen_names

from keras_csg.backbones.catalog import describe_backbones
from keras_csg.backbones.registry import backbone_spec
from keras_csg.files import write_json

COMMAND = pathlib.Path(sys.executable).with_name("keras-csg")
SIDE = 32
COLUMNS = {
    "accuracy": "accuracy",
    "class_specific_accuracy": "class-specific",
    "l1_density": "density",
    "mis": "MIS",
    "training_minutes": "minutes",
}


def smallest_of_each_family():
    """Returns names of backbones by their family in lower case."""
    known = [row for row in describe_backbones() if row["parameters"]]
    known.sort(key=lambda row: row["parameters"], reverse=True)
    return {row["family"].lower(): row["name"] for row in known}


def side_for(name):
    return max(SIDE, backbone_spec(name).min_size)


def train(name, run):
    """Returns the figures on the test split, or `None` after an error."""
    options = ["--resume"]
    if not run.exists():
        options = ["--data", "digits", "--backbone", name]
        options += ["--image-size", str(side_for(name))]
    done = subprocess.run(
        [COMMAND, "train", "--out", run, "--json", *options],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        click.echo(f"{name}: {done.stderr.strip().splitlines()[-1]}", err=True)
        return None
    return json.loads(done.stdout)


def line(family, name, results):
    figures = " ".join(
        f"{results[key]:>{len(label)}.3f}" for key, label in COLUMNS.items()
    )
    return f"{family:18} {name:20} {side_for(name):4}  {figures}"


def chosen(families):
    known = dict(sorted(smallest_of_each_family().items()))
    wanted = families and families.lower()
    names = chosen_names(wanted, known, "--families")
    return {name: known[name] for name in names}


@click.command()
@click.option("--families", help="Only these, between commas.")
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default="families.json",
    show_default=True,
    help="File of the results.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=pathlib.Path),
    default="families",
    show_default=True,
    help="Folder of the runs.",
)
def main(families, out, runs):
    """Train the smallest backbone of each family on digits."""
    results = json.loads(out.read_text()) if out.exists() else {}
    print(f"{'family':18} {'backbone':20} side  {' '.join(COLUMNS.values())}")
    for family, name in chosen(families).items():
        if (
            name not in results
            and (figures := train(name, runs / name)) is not None
        ):
            results[name] = figures
            write_json(out, results)
        if name in results:
            print(line(family, name, results[name]), flush=True)


if __name__ == "__main__":
    main()
