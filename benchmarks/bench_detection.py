"""Unknown and attacked images: which score tells them, gated and standard.

    python benchmarks/bench_detection.py --animals FOLDER   # half an hour
    python benchmarks/bench_detection.py --near GATED STANDARD

Every score that there is, on the networks that came with the package, of
CIFAR-10: statistics from 5,000 training images, thresholds from the validation
split at 5 % of false alarms, figures on `--images` of the test split. Scores
that learn from strange images are trained on one kind and tested on all: on one
attack, or on made-up images without the kind that is tested.

`--animals` is a folder of photographs of classes that CIFAR-10 has not.
`--near` takes two runs that were trained without some classes:

    keras-csg train --data cifar10 --hold-out-classes cat,truck --out GATED
    keras-csg train --data cifar10 --hold-out-classes cat,truck --standard \
        --out STANDARD

The features of each set of images are kept in `--cache`, and what is measured
in `--out`: what was stopped goes on.
"""

import json
import pathlib
import time

import click
import numpy as np
from detection_images import image_sets

from keras_csg.evaluation.features import head_of
from keras_csg.files import whole_file, write_json
from keras_csg.robustness import AnomalyDetector
from keras_csg.robustness.detection import detection_figures, list_scores
from keras_csg.robustness.detection.extractor import Extractor
from keras_csg.robustness.detection.registry import find_score
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data

SHIPPED = {
    "gated": "weights:cifar10",
    "standard": "weights:cifar10-standard",
}
TRAINED_ON = ("fgsm 8", "pgd 4")
TESTED = ("unknown/", "near/", "attack/", "harmless/")


class Network:
    """A run whose features of many sets of images are kept in files."""

    def __init__(self, path, cache, count, animals, near):
        self.run = open_run(path)
        self.model = self.run.load_model()
        self.data = load_run_data(self.run, self.model)
        self.sets = image_sets(
            self.model, self.run, self.data, count, animals, near
        )
        self.cache = cache / f"{pathlib.Path(path).name.replace(':', '-')}"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.labels = self.data.test.images_and_labels(count)[1]
        self.head = head_of(self.model)
        self.extractor = Extractor(self.model, 250)

    def features(self, name):
        """Returns those of a set, made if they are not there."""
        path = self.cache / f"{name.replace('/', ' of ')}.npy"
        if not path.exists():
            start = time.perf_counter()
            found = self.extractor.features(self.sets[name](), name)
            with whole_file(path) as part:
                np.save(part, found)
            took = time.perf_counter() - start
            print(f"{path.parent.name} {name}: {took:.0f} s", flush=True)
        return np.load(path)

    def tested(self):
        """Returns the sets that a detector is tested on."""
        return [name for name in self.sets if name.startswith(TESTED)]

    def accuracy(self, name):
        """Returns the standard head's accuracy on a set of test images."""
        predicted = self.head.predicted(self.features(name))
        return float(np.mean(predicted == self.labels))


def trainings(score, network):
    """Yields a name, the unknown features, and what may be tested."""
    tested = network.tested()
    if not find_score(score).needs_unknown:
        yield "clean images", None, tested
        return
    for attack in TRAINED_ON:
        yield attack, network.features(f"fit attack/{attack}"), tested
    made_up = [name for name in network.sets if name.startswith("made up/")]
    groups = {}
    for name in tested:  # Without the kind that is tested.
        kind = name.partition("/")[2]
        left = tuple(one for one in made_up if one != f"made up/{kind}")
        groups.setdefault(left, []).append(name)
    for left, names in groups.items():
        features = [network.features(one) for one in left]
        yield "made up", np.concatenate(features), names


def measure(score, network):
    """Returns figures by what was trained on and by set of images."""
    found = {}
    for trained_on, unknown, tested in trainings(score, network):
        detector = AnomalyDetector(score).fit(
            network.model,
            network.features("fit"),
            unknown=unknown,
            calibration=network.features("validation"),
        )
        clean = detector.score_samples(network.features("test"))
        part = found.setdefault(trained_on, {})
        part["clean"] = {"flagged": float((clean > detector.threshold_).mean())}
        for name in tested:
            scores = detector.score_samples(network.features(name))
            # Two-sided: far from the middle of clean images, up or down.
            middle = np.median(clean)
            folded = abs(clean - middle), abs(scores - middle)
            part[name] = {
                **detection_figures(clean, scores),
                "flagged": float((scores > detector.threshold_).mean()),
                "two_sided_roc_auc": detection_figures(*folded)["roc_auc"],
            }
    return found


def chosen_without(table):
    """Returns the score that each kind would have, chosen on all others.

    Among those that were fitted on clean images alone.
    """
    aucs = {
        score: {
            name: figures["roc_auc"]
            for name, figures in found["clean images"].items()
            if name.startswith(("unknown/", "near/", "attack/"))
        }
        for score, found in table.items()
        if "clean images" in found
    }
    kinds = next(iter(aucs.values()))
    chosen = {}
    for kind in kinds:
        best = max(aucs, key=lambda s: _mean_of_kinds(_without(aucs[s], kind)))
        chosen[kind] = {"score": best, "roc_auc": aucs[best][kind]}
    return chosen


def _without(aucs, kind):
    """Leaves out a kind; of attacks all of the method."""
    method = kind.rpartition(" ")[0] if kind.startswith("attack/") else kind
    return {k: v for k, v in aucs.items() if not k.startswith(method)}


def _mean_of_kinds(aucs):
    """Weighs unknown and attacked images alike."""
    groups = {}
    for name, value in aucs.items():
        groups.setdefault(name.partition("/")[0], []).append(value)
    return np.mean([np.mean(values) for values in groups.values()])


@click.command()
@click.option("--images", "count", default=1000, show_default=True)
@click.option("--animals", help="Folder of photographs of other classes.")
@click.option("--near", nargs=2, metavar="GATED STANDARD")
@click.option(
    "--cache",
    type=click.Path(path_type=pathlib.Path),
    default=pathlib.Path("runs/detection_features"),
    show_default=True,
)
@click.option(
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default=pathlib.Path(__file__).parent / "results" / "detection.json",
    help="File of the results.",
)
def main(count, animals, near, cache, out):
    """Measures what is not measured yet, and prints a table."""
    runs = dict(SHIPPED)
    if near:
        runs = dict(zip(("near gated", "near standard"), near, strict=True))
    results = json.loads(out.read_text()) if out.exists() else {}
    for kind, path in runs.items():
        network = Network(path, cache, count, animals, bool(near))
        part = results.setdefault(kind, {"images": count, "scores": {}})
        part["accuracy"] = {
            name: network.accuracy(name)
            for name in ("test", *network.tested())
            if name.startswith(("test", "attack/", "harmless/"))
        }
        for score in list_scores():
            if score not in part["scores"]:
                start = time.perf_counter()
                part["scores"][score] = measure(score, network)
                took = time.perf_counter() - start
                print(f"{kind} {score}: {took:.0f} s", flush=True)
                write_json(out, results)
        part["chosen_without_the_kind"] = chosen_without(part["scores"])
        write_json(out, results)
    for kind in runs:
        show(kind, results[kind])


def show(kind, part):
    """Prints the ROC AUCs of a network, a line for each score."""
    print(f"\n{kind}: accuracy {part['accuracy']['test']:.3f}")
    names = [n for n in part["scores"]["msp"]["clean images"] if "/" in n]
    print(" " * 32 + " ".join(f"{n.partition('/')[2][:8]:>8}" for n in names))
    for score, trained in part["scores"].items():
        for trained_on, found in trained.items():
            line = " ".join(f"{found[n]['roc_auc']:8.3f}" for n in names)
            about = "" if trained_on == "clean images" else f" ({trained_on})"
            print(f"{score + about:32}{line}")


if __name__ == "__main__":
    main()
