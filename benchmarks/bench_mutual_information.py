"""Time of `mutual_information` beside scikit-learn's `mutual_info_classif`.

python benchmarks/bench_mutual_information.py             # about a minute
python benchmarks/bench_mutual_information.py --imagenet  # about a minute
"""

import argparse
import resource
import time

import numpy as np
from sklearn.feature_selection import mutual_info_classif

from keras_csg.metrics.mutual_information import mutual_information


def features_after_a_relu(samples, filters, classes, seed=0):
    """Half zeros; each filter fires more for one class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % classes)
    features = rng.standard_normal((samples, filters), "float32")
    features += labels[:, None] == np.arange(filters) % classes
    return np.maximum(features, 0), labels


def timed(function, *args, **kwargs):
    """The result, and its seconds on the clock and on the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    result = function(*args, **kwargs)
    seconds = time.perf_counter() - wall, time.process_time() - processor
    return result, np.array(seconds)


def scikit_learn(features, labels, classes):
    return np.stack(
        [
            mutual_info_classif(
                features,
                labels == label,
                discrete_features=False,
                random_state=0,
            )
            for label in classes
        ]
    )


def spread(values, unit):
    return (
        f"{np.median(values):.3g} {unit} "
        f"({np.min(values):.3g} to {np.max(values):.3g})"
    )


def compare(samples, filters, classes, repeats, n_jobs):
    features, labels = features_after_a_relu(samples, filters, classes)
    ours, theirs, gaps = [], [], []
    for _ in range(repeats):  # Alternately, so that both share the weather.
        expected, seconds = timed(
            scikit_learn, features, labels, range(classes)
        )
        theirs.append(seconds)
        runs = [
            timed(mutual_information, features, labels, n_jobs=n_jobs)
            for _ in range(5)
        ]
        ours.append(np.median([seconds for _, seconds in runs], axis=0))
        gaps.append(np.abs(runs[0][0] - expected).max())
    print(f"{samples} x {filters}, {classes} classes, {n_jobs} thread(s)")
    print(f"zeros among the features  {np.mean(features == 0):.2f}")
    for i, clock in enumerate(["clock", "processor"]):
        mine, other = np.array(ours)[:, i], np.array(theirs)[:, i]
        print(f"by the {clock}")
        print(f"  keras_csg               {spread(mine, 's')}")
        print(f"  scikit-learn            {spread(other, 's')}")
        print(f"  times faster            {spread(other / mine, 'x')}")
    print(f"largest difference        {max(gaps):.1e} nats")


def imagenet(samples, filters, classes, n_jobs, few=4):
    features, labels = features_after_a_relu(samples, filters, classes)
    before = peak_gibibytes()
    result, (seconds, _) = timed(
        mutual_information, features, labels, n_jobs=n_jobs
    )
    peak = peak_gibibytes()
    # The noise of few filters alone is another: compare times only.
    _, (theirs, _) = timed(scikit_learn, features[:, :few], labels, [0])
    hours = theirs / few * filters * classes / 3600
    print(f"{samples} x {filters}, {classes} classes, {n_jobs} thread(s)")
    print(f"keras_csg      {seconds:.1f} s, result {result.shape}")
    print(f"peak memory    {peak:.2f} GiB, {before:.2f} GiB before the call")
    print(
        f"scikit-learn   {hours:.0f} h, extrapolated from {theirs:.1f} s "
        f"for one class and {few} filters"
    )


def peak_gibibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--imagenet",
        action="store_true",
        help="50,000 samples, 512 filters and 1,000 classes",
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=1, help="Our threads.")
    options = parser.parse_args()
    if options.imagenet:
        imagenet(50_000, 512, 1000, options.n_jobs)
    else:
        compare(10_000, 64, 10, options.repeats, options.n_jobs)


if __name__ == "__main__":
    main()
