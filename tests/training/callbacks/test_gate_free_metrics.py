import numpy as np
import pytest

from keras_csg import metrics
from keras_csg.evaluation import collect_samples
from keras_csg.training.callbacks import GateFreeMetrics, RunBackup
from keras_csg.training.history import History
from tests.tiny import tiny_classifier, tiny_data, tiny_split

# One epoch or two: the paper's schedule does not come to the gate.
pytestmark = pytest.mark.filterwarnings("ignore:The gate ended")


@pytest.fixture
def split():
    return tiny_split()


def test_the_gate_free_score_goes_to_logs_and_history(tmp_path, split):
    model = tiny_classifier()
    model.compile("sgd")
    history = History(tmp_path / "history.csv")
    logged = model.fit(
        *tiny_data(),
        epochs=3,
        callbacks=[
            GateFreeMetrics(split.batches(32), every=2),
            RunBackup(tmp_path / "backup", history),
        ],
        measure_again=False,  # What is measured here is the last epoch's.
        verbose=0,
    ).history
    features, labels, _ = collect_samples(model, split, 32)
    score = metrics.mutual_information_score(features, labels)
    assert logged["val_mis"][-1] == pytest.approx(score)
    scores = history.column("val_mis")
    assert scores[::2] == logged["val_mis"] and np.isnan(scores[1])
    images, labels = split.images_and_labels()
    logits = np.array(model(images))
    assert logged["val_accuracy"][-1] == metrics.accuracy(labels, logits)


def test_the_accuracy_that_fit_measured_stays(split):
    model = tiny_classifier(gated=False)
    model.compile("sgd")
    images, labels = tiny_data()
    logged = model.fit(
        images,
        labels,
        validation_data=(images[:8], labels[:8]),
        callbacks=[GateFreeMetrics(split.batches(70))],
        verbose=0,
    ).history
    of_eight = model.evaluate(images[:8], labels[:8], verbose=0)[1]
    assert logged["val_accuracy"] == [pytest.approx(of_eight)]
    assert len(logged["val_mis"]) == 1


def test_a_measurement_every_zero_epochs_is_refused():
    with pytest.raises(ValueError, match="at least 1.*every=0"):
        GateFreeMetrics([], every=0)
