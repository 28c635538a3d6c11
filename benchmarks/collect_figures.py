"""Puts the figures of finished runs into one file, with mean and deviation.

    python benchmarks/collect_figures.py --out FILE NAME=RUN,RUN... NAME=...

Nothing is measured again: the figures are those of each run's `metrics.json`.
Prints a table in Markdown.
"""

import pathlib
import statistics

import click

from keras_csg.files import write_json
from keras_csg.training import Run

SHOWN = {
    "accuracy": "accuracy",
    "class_specific_accuracy": "accuracy of the class-specific head",
    "complement_accuracy": "accuracy without the true class's filters",
    "complement_probability": "probability of the true class then",
    "removed_own_recall": "recall of a class without its filters",
    "kept_own_recall": "recall of a class with them alone",
    "removed_other_recall": "recall of the others without them",
    "mis": "MIS",
    "own_class_mis": "MIS of a filter's own class",
    "specificity": "specificity",
    "class_agreement": "filters that tell most of their own class",
    "residual_information": "a probe without both classes' filters (AUC)",
    "probe_auc": "the same with all filters",
    "same_class_activation_correlation": "correlation, same class",
    "cross_class_activation_correlation": "correlation, other classes",
    "shuffled_class_specific_accuracy": "class-specific, gate rows shuffled",
    "shuffled_row_accuracy": "gated path answers with the row's class",
    "l1_density": "L1-density of the gate",
    "shared_filters": "filters of several classes",
}


def plain(figures):
    """Returns the figures that are one number each, without times."""
    return {
        name: value
        for name, value in figures.items()
        if isinstance(value, int | float) and not name.endswith("_seconds")
    }


def together(runs):
    """Returns mean and standard deviation of figures that all runs have."""
    shared = [n for n in runs[0] if all(n in figures for figures in runs)]
    return {
        name: {
            "mean": statistics.fmean(values),
            "deviation": statistics.stdev(values) if len(values) > 1 else None,
        }
        for name in shared
        for values in [[figures[name] for figures in runs]]
    }


def shown(found):
    if found is None:
        return "-"
    text = f"{found['mean']:.3f}"
    if found["deviation"] is not None:
        text += f" ± {found['deviation']:.3f}"
    return text


def table(groups):
    """Yields the lines of a table: a row for each figure."""
    yield f"| figure | {' | '.join(groups)} |"
    yield "| --- " * (len(groups) + 1) + "|"
    for name, label in SHOWN.items():
        cells = [groups[group].get(name) for group in groups]
        if any(cells):
            yield f"| {label} | {' | '.join(map(shown, cells))} |"


@click.command()
@click.argument("groups", nargs=-1, metavar="NAME=RUN,RUN...")
@click.option("--out", type=click.Path(path_type=pathlib.Path), required=True)
def main(groups, out):
    """Collect the figures of GROUPS of runs into a file."""
    runs, found = {}, {}
    for group in groups:
        name, _, paths = group.partition("=")
        figures = [plain(Run(p).read_metrics()) for p in paths.split(",")]
        runs[name] = figures
        found[name] = together(figures)
    write_json(out, {"runs": runs, "together": found})
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
