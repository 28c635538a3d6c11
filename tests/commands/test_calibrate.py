"""The temperature of a run's network, and of one by itself."""

import numpy as np
import pytest

import keras_csg
from keras_csg import InputError
from keras_csg.evaluation import fit_calibration
from keras_csg.metrics import fit_temperature, reliability
from keras_csg.training import open_run
from tests.deployment.trained import softmax, trained_classifier
from tests.tiny import tiny_data
from tests.tiny_run import make_tiny_run

IMAGES, _ = tiny_data(120)


def labels_of(model):
    """Classes that the logits are too sure of: drawn by a third of them."""
    noise = np.random.default_rng(0).gumbel(size=(len(IMAGES), 4))
    return (np.asarray(model(IMAGES)) / 3 + noise).argmax(1).astype("int32")


LABELS = labels_of(trained_classifier())


def test_the_errors_are_those_of_the_logits():
    model = trained_classifier()
    found = keras_csg.calibrate(model, IMAGES, LABELS, batch_size=50, log=None)
    logits = np.asarray(model(IMAGES))
    best = fit_temperature(logits, LABELS)
    assert found.temperature == pytest.approx(best, rel=1e-3)
    assert found.images == 120
    before = reliability(softmax(logits), LABELS).ece
    after = reliability(softmax(logits / found.temperature), LABELS).ece
    assert found.ece_before == pytest.approx(before, abs=1e-4)
    assert found.ece_after == pytest.approx(after, abs=1e-3)
    assert found.ece_after < found.ece_before
    specific = np.asarray(model.class_specific_logits(model.features(IMAGES)))
    assert found.class_specific_temperature == pytest.approx(
        fit_temperature(specific, LABELS), rel=1e-3
    )


def test_without_a_gate_there_is_one_head():
    model = trained_classifier(gated=False)
    found = keras_csg.calibrate(model, IMAGES, LABELS, log=None)
    assert found.class_specific_temperature is None
    assert found.class_specific_ece_after is None


def test_several_classes_an_image_are_decisions_by_themselves():
    model = trained_classifier(multi_label=True)
    noise = np.random.default_rng(0).logistic(size=(len(IMAGES), 4))
    labels = (np.asarray(model(IMAGES)) / 3 + noise > 0).astype("int32")
    lines = []
    found = keras_csg.calibrate(model, IMAGES, labels, log=lines.append)
    assert 0 <= found.ece_after < found.ece_before <= 1
    (line,) = lines
    assert line.startswith(f"Temperature {found.temperature:.3f} from 120 ima")
    assert f"(ECE) {found.ece_before:.4f} before" in line


def test_of_a_run_it_is_that_of_the_validation_split(digits, tmp_path):
    run = make_tiny_run(tmp_path / "run", digits, epochs=2)
    found = keras_csg.calibrate(run, log=None)
    model = open_run(run).load_model()
    assert found == fit_calibration(model, digits.validation.batches(128))


@pytest.mark.parametrize(
    "source, arguments, message",
    [
        (None, {}, "`images` and `labels`"),
        (None, {"images": IMAGES, "labels": LABELS[:-1]}, "`images` must be"),
        (None, {"images": IMAGES[..., :2], "labels": LABELS}, "must be pict"),
        (None, {"images": IMAGES * 2, "labels": LABELS}, "RGB in 0..255"),
        (None, {"images": IMAGES[:9], "labels": LABELS[:9]}, "takes 20 images"),
        ("nowhere", {}, "nowhere"),
        ("nowhere", {"images": IMAGES, "labels": LABELS}, "a run has its own"),
        (3, {}, "`source` must be a path"),
    ],
)
def test_odd_arguments_are_one_line(source, arguments, message):
    source = trained_classifier() if source is None else source
    with pytest.raises(InputError, match=message) as error:
        keras_csg.calibrate(source, log=None, **arguments)
    assert len(str(error.value).splitlines()) == 1


def test_a_network_that_is_always_right_has_no_temperature():
    model = trained_classifier()
    labels = np.asarray(model(IMAGES)).argmax(1).astype("int32")
    with pytest.raises(InputError, match="all are told right"):
        keras_csg.calibrate(model, IMAGES, labels, log=None)
