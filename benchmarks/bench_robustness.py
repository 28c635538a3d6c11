"""Attacks and corruptions: the gated network beside the standard one.

    python benchmarks/bench_robustness.py --out robustness.json

About an hour on two cores. Each part is written when it is done, and
those that are there are not measured again.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

import keras_csg
from keras_csg.choices import CORRUPTIONS
from keras_csg.files import write_json

RUNS = {"gated": "weights:cifar10", "standard": "weights:cifar10-standard"}
EPSILONS = ("1/255", "2/255", "4/255", "8/255")
LIBRARY = (("apgd", "8/255"), ("square", "8/255"), ("deepfool", "128/255"))
LIBRARY += (("cw", "128/255"),)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--library-images", type=int, default=200)
    parser.add_argument("--least-images", type=int, default=50)
    arguments = parser.parse_args()
    results = {}
    if arguments.out.exists():
        results = json.loads(arguments.out.read_text())

    def part(name, measure):
        if name not in results:
            results[name] = measure()
            write_json(arguments.out, results)
        print(name, json.dumps(results[name])[:2000], file=sys.stderr)

    for kind, chosen in (
        ("attacks", {"attacks": "pgd,fgsm", "corruptions": "none"}),
        ("corruptions", {"attacks": "none", "corruptions": CORRUPTIONS}),
    ):
        part(
            kind,
            lambda chosen=chosen: keras_csg.measure_robustness(
                RUNS["gated"],
                against=RUNS["standard"],
                limit=arguments.images,
                epsilons=EPSILONS,
                log=None,
                **chosen,
            ),
        )
    for name, run in RUNS.items():
        for epsilon in ("1/255", "8/255"):
            part(
                f"cross_entropy {name} {epsilon}",
                lambda run=run, epsilon=epsilon: by_cross_entropy(
                    run, epsilon, arguments.images
                ),
            )
        other = next(x for x in RUNS.values() if x != run)
        part(
            f"transfer to {name}",
            lambda run=run, other=other: keras_csg.attack(
                run,
                epsilon="8/255",
                source=other,
                limit=arguments.images,
                log=None,
            ),
        )
        part(
            f"l2 {name}",
            lambda run=run: keras_csg.attack(
                run, norm="l2", limit=arguments.images, log=None
            ),
        )
    for method, epsilon in LIBRARY:
        for name, run in RUNS.items():
            images = arguments.library_images
            if method in ("deepfool", "cw"):
                images = arguments.least_images
            part(
                f"{method} {name}",
                lambda run=run, method=method, epsilon=epsilon, images=images: (
                    keras_csg.attack(
                        run,
                        method=method,
                        epsilon=epsilon,
                        limit=images,
                        log=None,
                    )
                ),
            )


def by_cross_entropy(run, epsilon, limit):
    """Attacks by the gradient of the cross-entropy, with its rounding."""
    from keras import ops

    from keras_csg.models import LogitCrossentropy
    from keras_csg.robustness.answers import Asked
    from keras_csg.robustness.attacks import pgd
    from keras_csg.robustness.distance import read_epsilon
    from keras_csg.training.opening import open_run

    model = open_run(run).load_model()
    images, labels = keras_csg.load_data("cifar10").test.images_and_labels()
    chosen = np.arange(limit) * len(images) // limit
    images, labels = images[chosen], labels[chosen]
    attack = pgd(model)
    loss = LogitCrossentropy(reduction=None)

    def losses(images, labels, *_):
        return loss(labels, model(images, training=False))

    attack._losses = losses
    asked = Asked(model)
    right, sure, flat = [], [], []
    for start in range(0, limit, 100):
        part = slice(start, start + 100)
        numbers = chosen[part]
        found = attack(
            images[part], labels[part], read_epsilon(epsilon), numbers
        )
        said = asked(found.images).logits.argmax(axis=1)
        right.append(said == labels[part])
        flat.append(found.zero_gradient)
        clean = asked(images[part]).logits
        own = np.take_along_axis(clean, labels[part][:, None], 1)
        odds = np.asarray(
            ops.logsumexp(np.where(clean == own, -1e30, clean), axis=1)
        )
        sure.append(own[:, 0] - odds)
    sure = np.concatenate(sure)
    return {
        "robust_accuracy": float(np.mean(np.concatenate(right))),
        "zero_gradients": float(np.mean(np.concatenate(flat))),
        # Log-odds from which float32 rounds a probability to 1.
        "rounded_to_1": float(np.mean(sure > 17)),
        "median_log_odds": float(np.median(sure)),
    }


if __name__ == "__main__":
    main()
