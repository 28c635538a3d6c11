import random

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.explain import cascading_randomization, class_activation_map
from keras_csg.explain.cloning import (
    clone_backbone,
    clone_classifier,
    seeded_initializers,
)
from tests.tiny import tiny_classifier, tiny_data


@pytest.fixture
def model():
    model = tiny_classifier(lambda_1=0.5, class_names=list("abcd"))
    images, labels = tiny_data(8)
    model.compile("sgd")
    model.fit(images, labels, batch_size=8, verbose=0)
    return model


@pytest.mark.slow
def test_likeness_by_depth(model):
    images, labels = tiny_data(8)
    rows = cascading_randomization(model, images, labels)
    assert [row["layers"] for row in rows] == [0, 1, 2, 3]
    assert [row["down_to"] for row in rows] == [None, "head", "norm", "conv"]
    for name in ("cam", "gradient_map", "activation_map"):
        assert rows[0][name]["rank_correlation"] == pytest.approx(1)
        assert rows[0][name]["ssim"] == pytest.approx(1)
        assert rows[-1][name]["rank_correlation"] < 1 - 1e-6
    # Only a CAM looks at the head.
    assert rows[1]["cam"]["rank_correlation"] < 1 - 1e-6
    assert rows[1]["activation_map"]["ssim"] == pytest.approx(1)


def test_neither_the_model_nor_pythons_random_is_touched(model):
    before, state = model.get_weights(), random.getstate()
    images = tiny_data(4)[0]
    cams = {"cam": class_activation_map}
    first = cascading_randomization(model, images, maps=cams)
    assert random.getstate() == state
    for old, new in zip(before, model.get_weights(), strict=True):
        assert_array_equal(old, new)
    assert first == cascading_randomization(model, images, maps=cams)
    assert first != cascading_randomization(model, images, maps=cams, seed=1)


def test_depths_thin_out_the_rows(model):
    cams = {"cam": class_activation_map}
    images = tiny_data(4)[0]
    rows = cascading_randomization(model, images, maps=cams, depths=2)
    assert [row["layers"] for row in rows] == [0, 1, 3]
    with pytest.raises(ValueError, match="Received: depths=0"):
        cascading_randomization(model, images, depths=0)


@pytest.mark.slow
def test_a_clone_is_the_same_and_another(model):
    images = tiny_data(4)[0]
    clone = clone_classifier(model)
    assert_array_equal(clone(images), model(images))
    assert_array_equal(clone.gate.gate_matrix, model.gate.gate_matrix)
    assert clone.class_names == list("abcd") and clone.lambda_1 == 0.5
    clone.head.kernel.assign(clone.head.kernel * 2)
    clone.backbone.set_weights([w * 2 for w in clone.backbone.get_weights()])
    assert not np.allclose(clone(images), model(images))


def test_a_clone_may_take_larger_images(model):
    images = tiny_data(2)[0]
    clone = clone_classifier(model, (16, 24))
    assert clone.backbone.output_shape == (None, 16, 24, 6)
    larger = np.concatenate([images] * 2, axis=1)
    larger = np.concatenate([larger] * 3, axis=2)
    inside = np.asarray(clone.backbone(larger))[:, 1:7, 1:7]
    own = np.asarray(model.backbone(images))[:, 1:7, 1:7]
    assert np.allclose(inside, own, atol=1e-4)


def test_fresh_weights_are_not_those_the_training_began_with():
    keras.utils.set_random_seed(0)
    model = tiny_classifier()
    with seeded_initializers(0):
        fresh = clone_backbone(model.backbone)
    begun, drawn = (
        backbone.get_layer("conv").kernel.numpy().ravel()
        for backbone in (model.backbone, fresh)
    )
    assert abs(np.corrcoef(begun, drawn)[0, 1]) < 0.4
