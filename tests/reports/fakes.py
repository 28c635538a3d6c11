"""What a page is made of, without a network: of any size and any names."""

import numpy as np
from scipy.special import softmax

import keras_csg.metrics as metrics
from keras_csg.evaluation.class_figures import told_figures
from keras_csg.evaluation.features import SplitFeatures
from keras_csg.evaluation.filter_survey import FilterSurvey
from keras_csg.metrics.calibration import reliability
from keras_csg.reports.gathering import About, Gathered
from keras_csg.reports.measuring import COLUMNS, Measured
from keras_csg.reports.mistakes import find_mistakes, right_examples
from keras_csg.reports.pictures import Picture
from keras_csg.training.options import TrainingOptions

SIDE = 96


def fake(names, filters=12, samples=200, images=3, gated=True, seed=0):
    """Returns a `Gathered` of noise in which classes are mostly told."""
    rng, classes = np.random.default_rng(seed), len(names)
    owners = np.arange(filters) % classes
    gate = (owners == np.arange(classes)[:, None]).astype("float32")
    labels = rng.integers(0, classes, samples).astype("int32")
    features = rng.gamma(1.0, 0.4, (samples, filters)).astype("float32")
    features += 1.2 * gate[labels]
    kernel = (2 * gate + 0.1 * rng.normal(size=gate.shape)).T
    head = metrics.Head(
        kernel.astype("float32"),
        np.zeros(classes, "float32"),
        gate if gated else None,
    )
    return Gathered(
        about=_about(names, gated),
        measured=(measured := _measured(features, labels, head)),
        survey=_survey(names, head, features, labels, owners, images, rng),
        mistakes=find_mistakes(measured),
        heatmaps=right_examples(measured, 3),
        pictures={n: _picture(rng, classes) for n in range(min(samples, 400))}
        if samples <= 400
        else _Noise(rng, classes),
    )


class _Noise(dict):
    """Pictures of any number, made when they are asked for."""

    def __init__(self, rng, classes):
        self.rng, self.classes = rng, classes

    def __missing__(self, number):
        return _picture(self.rng, self.classes)

    def get(self, number, default=None):
        return self[number]


class _Maps(dict):
    def __init__(self, rng):
        self.rng = rng

    def __contains__(self, label):
        return True

    def __missing__(self, label):
        return _noise(self.rng)


def _noise(rng):
    """Noise that is hard to compress, as a photograph with much in it."""
    coarse = rng.integers(0, 256, (SIDE // 3, SIDE // 3, 3), "uint8")
    return np.kron(coarse, np.ones((3, 3, 1), "uint8"))


def _picture(rng, classes):
    return Picture(_noise(rng), _Maps(rng))


def _about(names, gated):
    return About(
        name="fake",
        options=TrainingOptions(epochs=3),
        versions={"keras-csg": "1", "keras": "3"},
        history={
            "epoch": [1.0, 2.0, 3.0],
            "accuracy": [0.2, 0.5, 0.7],
            "val_accuracy": [0.3, 0.4, float("nan")],
            "loss": [2.0, 1.0, 0.5],
        },
        class_names=list(names),
        multi_label=False,
        gated=gated,
        image_shape=(SIDE, SIDE, 3),
        images={"train": 100, "validation": 10, "test": 50},
    )


def _measured(features, labels, head):
    logits = head.logits(features)
    told, confusion = told_figures(labels, logits)
    probabilities = softmax(logits, axis=1)
    predicted = logits.argmax(axis=1)
    rows = np.arange(len(labels))
    scalars = {k: v for k, v in told.items() if isinstance(v, float)}
    gate = head.gate_matrix
    return Measured(
        figures={
            "examples": len(labels),
            "accuracy": float(np.mean(predicted == labels)),
            **scalars,
        },
        classes={k: told[k] for k in COLUMNS if k in told},
        confusion=confusion,
        calibration=reliability(probabilities, labels),
        predicted=predicted,
        confidence=np.stack(
            [probabilities[rows, predicted], probabilities[rows, labels]], 1
        ),
        ablation=None
        if gate is None
        else metrics.ablation(features, labels, head),
        notes=[],
        samples=SplitFeatures(features, labels),
        head=head,
    )


def _survey(names, head, features, labels, owners, images, rng):
    classes, filters = len(names), len(owners)
    count = min(len(labels), filters * images)
    top = rng.integers(0, count, (filters, images))
    return FilterSurvey(
        class_names=list(names),
        filter_names={0: "</script><b>first</b>"},
        samples=len(labels),
        gate_matrix=head.gate_matrix,
        filter_classes=owners,
        information=np.full((classes, filters), 0.1, "float32"),
        purity=np.full(filters, 0.5),
        class_means=np.ones((classes, filters), "float32"),
        recall=np.full(classes, 0.9),
        recall_without=np.full(filters, 0.8),
        recall_without_all=np.full(classes, 0.1),
        duplicates=[(0, 1, 0.97)],
        shared=np.zeros(filters, bool),
        dead=np.arange(filters) == 1,
        top_samples=top,
        top_values=np.full(top.shape, 0.5, "float32"),
        top_labels=labels[top],
        top_maps=rng.random((filters, images, 7, 7), "float32"),
        thresholds=np.full(filters, 0.5, "float32"),
        thumbnails=np.stack([_noise(rng) for _ in range(min(count, 2000))])[
            np.arange(count) % min(count, 2000)
        ],
        thumbnail_of={n: n for n in range(count)},
    )
