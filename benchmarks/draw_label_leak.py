"""Draws whether a gate says what filters do, or tells the network the label.

    python benchmarks/draw_label_leak.py

Reads `benchmarks/results/cifar10_24_epochs.json`, writes
`docs/images/label-leak.png`: means over the seeds, and each seed as a point.
"""

import json
import pathlib

import click
import numpy as np
from matplotlib.figure import Figure

ROOT = pathlib.Path(__file__).parents[1]
FIGURES = ROOT / "benchmarks" / "results" / "cifar10_24_epochs.json"
BARS = {
    "class_specific_accuracy": "right, by each\nclass's own filters",
    "shuffled_class_specific_accuracy": "the same, the gate's\nrows shuffled",
    "gated_accuracy": "right, through the\nrow of the true class",
    "shuffled_row_accuracy": "through a wrong row:\nthat row's class",
}
COLORS = ("C0", "C1", "C0", "C1")
TITLES = {
    "the paper's recipe": "The paper's recipe, 24 epochs\n"
    "shuffled rows do nearly as well: the gate tells a label",
    "ours": "Ours, 24 epochs\n"
    "shuffled rows do not: the gate is what the filters do",
}
CHANCE = 0.1


def draw(runs):
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    panels = figure.subplots(1, len(TITLES), sharey=True)
    for panel, (kind, title) in zip(panels, TITLES.items(), strict=True):
        values = np.array([[run[name] for name in BARS] for run in runs[kind]])
        bars = panel.bar(list(BARS.values()), values.mean(axis=0), color=COLORS)
        panel.bar_label(bars, fmt="{:.3f}", label_type="center", color="w")
        for seed in values:
            panel.plot(range(len(BARS)), seed, "k.", markersize=4)
        panel.axhline(CHANCE, color="grey", linestyle=":")
        panel.text(len(BARS) - 0.55, CHANCE, "chance", va="center")
        panel.set(title=title, ylim=(0, 1.12), xlim=(-0.6, 3.95))
        panel.tick_params(axis="x", labelsize=7.5)
    panels[0].set_ylabel("share of the test images")
    return figure


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default=ROOT / "docs" / "images" / "label-leak.png",
    help="The picture.",
)
def main(out):
    """Draw the controls of the gate."""
    runs = json.loads(FIGURES.read_text())["runs"]
    draw(runs).savefig(out, dpi=100)
    print(f"Drew {out}")


if __name__ == "__main__":
    main()
