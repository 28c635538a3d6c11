"""What is measured of a network that is to have forgotten a class.

On arrays: `features`, `(samples, filters)`, of the training and of the test
images, and their `labels`. `bench_forgetting.py` says where they come from.
"""

import keras
import numpy as np
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_csg import CSGClassifier, metrics
from keras_csg.layers.batch_statistics import measure_statistics

EPOCHS, STEPS, BATCH = 5, 10, 128
LEARNT = 0.9
"""Share of the recall of before from which a class counts as learnt again."""
OTHER = 2**20
"""Class of filters that are nobody's: no image has it."""


def recall(labels, logits, label):
    """Returns the share of a class's images that are told."""
    return float((logits[labels == label].argmax(axis=1) == label).mean())


def accuracy_of_others(labels, logits, label):
    """Returns the accuracy on the other classes, whose logits count alone."""
    here = labels != label
    others = logits[here].copy()
    others[:, label] = -np.inf
    return float((others.argmax(axis=1) == labels[here]).mean())


def probe(features, labels, label, removed):
    """Returns how well a linear probe tells a class from all others.

    Area under the ROC curve; 0.5 is chance.
    """
    classes = np.full(features.shape[1], OTHER)
    classes[removed] = 1
    is_class = (labels == label).astype(int)
    return metrics.residual_information(features, is_class, classes).residual


def pair_probe(features, labels, label, removed_of):
    """Returns the mean over the pairs with another class, both removed.

    Args:
        features: of the test images.
        labels: theirs.
        label: the class.
        removed_of: callable from a class to its filters.
    """
    areas = []
    for other in np.setdiff1d(np.unique(labels), [label]):
        classes = np.full(features.shape[1], OTHER)
        for name in (other, label):
            classes[removed_of(name)] = name
        # A filter of both is removed as either's.
        here = np.isin(labels, (label, other))
        found = metrics.residual_information(
            features[here], labels[here], classes
        )
        areas.append(found.residual)
    return float(np.mean(areas))


def membership(train_logits, test_logits):
    """Returns how well an attacker tells trained images from others.

    Both of the class that is to be forgotten. The attacker has what the
    network answers, its sorted log-probabilities, and knows of four fifths of
    the images whether they were trained on: a logistic regression says it of
    the last fifth. Area under the ROC curve; 0.5 is chance.

    Reference:
        - [Shokri et al., 2017](https://arxiv.org/abs/1610.05820)
        - [Salem et al., 2019](https://arxiv.org/abs/1806.01246)
    """
    logits = np.concatenate([train_logits, test_logits])
    answers = np.sort(log_softmax(logits, axis=1), axis=1)[:, ::-1]
    member = np.repeat([1, 0], [len(train_logits), len(test_logits)])
    attacker = make_pipeline(
        StandardScaler(),
        LogisticRegression(max_iter=1000, class_weight="balanced"),
    )
    scores = cross_val_predict(
        attacker,
        answers,
        member,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        method="decision_function",
    )
    return float(roc_auc_score(member, scores))


def loss_attack(train_logits, test_logits, label):
    """Returns the same of an attacker who goes by the true class's loss.

    Reference:
        - [Yeom et al., 2018](https://arxiv.org/abs/1709.01604)
    """
    scores = [
        log_softmax(logits, axis=1)[:, label]
        for logits in (train_logits, test_logits)
    ]
    member = np.repeat([1, 0], [len(part) for part in scores])
    return float(roc_auc_score(member, np.concatenate(scores)))


def learn_again(model, label, train, test, seed=0):
    """Returns the recall of a class after each epoch in which it is shown.

    The network gets a fresh column in its head for the class, and all of its
    weights train on the plain cross-entropy, without a gate, whatever it had:
    Adam, 1e-3, five epochs of ten steps of 128 images, all classes alike. The
    same for every network.

    Args:
        model: `CSGClassifier` without the class; it is used up.
        label: number of the class among all.
        train: images and labels, of all classes.
        test: images of the class.
        seed: int.

    Returns:
        A list of the recall before the first and after each epoch.
    """
    keras.utils.set_random_seed(seed)
    again = CSGClassifier(model.backbone, model.num_classes + 1, gated=False)
    kernel, bias = (keras.ops.convert_to_numpy(w) for w in model.head.weights)
    fresh_kernel, fresh_bias = again.head.get_weights()
    others = np.setdiff1d(np.arange(model.num_classes + 1), [label])
    fresh_kernel[:, others], fresh_bias[others] = kernel, bias
    again.head.set_weights([fresh_kernel, fresh_bias])
    again.compile(keras.optimizers.Adam(1e-3))
    rng = np.random.default_rng(seed)
    images, labels = train

    def told():
        logits = again.predict(test, batch_size=256, verbose=0)
        return float((logits.argmax(axis=1) == label).mean())

    recalls = [told()]
    for _ in range(EPOCHS):
        some = _alike(labels, STEPS * BATCH, rng)
        again.fit(images[some], labels[some], batch_size=BATCH, verbose=0)
        # Running statistics follow a hundred steps slowly.
        measure_statistics(again, [images[_alike(labels, 1000, rng)]])
        recalls.append(told())
    return recalls


def _alike(labels, count, rng):
    """Draws images, of each class as many, in random order."""
    classes = np.unique(labels)
    drawn = [
        rng.choice(np.flatnonzero(labels == name), count // len(classes))
        for name in classes
    ]
    return rng.permutation(np.concatenate(drawn))


def epochs_until(recalls, before):
    """Returns after how many epochs a class is learnt, `None` for never.

    Before the first one a fresh column may well answer to every image.
    """
    learnt = [value >= LEARNT * before for value in recalls[1:]]
    return learnt.index(True) + 1 if any(learnt) else None
