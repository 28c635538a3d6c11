"""A detector learns from enough images, of the range the network takes."""

import gc
import warnings
import weakref

import numpy as np
import pytest

from keras_csg.robustness import AnomalyDetector
from keras_csg.robustness.detection.extractor import Extractor
from tests.tiny import tiny_classifier, tiny_data

CLEAN, _ = tiny_data(400)
OTHER, _ = tiny_data(200, seed=1)


@pytest.fixture(scope="module")
def model():
    return tiny_classifier()


@pytest.mark.parametrize("name", ["images", "calibration", "unknown"])
@pytest.mark.parametrize("scale", [255, 10])
@pytest.mark.parametrize("batched", [True, False])
def test_images_that_were_scaled_are_refused(name, scale, batched, model):
    given = {"images": CLEAN, "calibration": OTHER, "unknown": OTHER}
    score = "logistic" if name == "unknown" else "energy"
    given[name] = given[name] / scale
    if batched:
        given[name] = np.array_split(given[name], 7)
    images = given.pop("images")
    with pytest.raises(ValueError, match=f"`{name}` must.*before they were"):
        AnomalyDetector(score).fit(model, images, **given)


def test_one_dark_batch_is_no_scaled_set(model):
    dark = CLEAN[:7] / 255
    AnomalyDetector("energy").fit(model, [dark, CLEAN], calibration=OTHER)


def test_it_takes_twenty_images_and_two_of_each_class(model):
    for count, least in ((3, 20), (19, 20)):
        with pytest.raises(ValueError, match=f"learns from {least} clean"):
            AnomalyDetector().fit(model, CLEAN[:count], calibration=OTHER)
    with pytest.warns(UserWarning, match="learns from 20 clean images alone"):
        AnomalyDetector().fit(model, CLEAN[:20], calibration=OTHER)


def test_of_many_classes_it_takes_two_each():
    from keras_csg.robustness.detection.thresholds import check_learned

    with pytest.raises(ValueError, match="learns from 2,000 clean"):
        check_learned(1999, 1000)
    check_learned(2000, 1000)


def test_a_rate_takes_so_many_images(model):
    few = CLEAN[:80]
    with (
        pytest.warns(UserWarning, match="learns from 40 clean images"),
        pytest.raises(ValueError, match="takes 100 clean images or more.*40"),
    ):
        AnomalyDetector(false_alarm_rate=0.01).fit(model, few)
    with (
        pytest.warns(UserWarning, match="learns from 40 clean images"),
        pytest.warns(UserWarning, match="rests on 40 clean images.* 100 make"),
    ):
        AnomalyDetector(false_alarm_rate=0.1).fit(model, few)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="The threshold rests")
        warnings.filterwarnings("ignore", message="The detector learns")
        AnomalyDetector(false_alarm_rate=0.25).fit(model, few)


def test_detectors_of_one_classifier_share_what_is_traced():
    model = tiny_classifier()
    first, second = (Extractor(model) for _ in range(2))
    assert first._extractor is second._extractor
    assert Extractor(tiny_classifier())._extractor is not first._extractor
    images = CLEAN[:16]
    before = first.features(images, "images")
    model.backbone.get_layer("conv").kernel.assign_add(
        np.ones((3, 3, 3, 6), "float32")
    )
    assert not np.allclose(second.features(images, "images"), before)
    gone = weakref.ref(model)
    del model, first, second
    gc.collect()
    assert gone() is None
