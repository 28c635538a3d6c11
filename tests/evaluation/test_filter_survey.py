import dataclasses

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGClassifier
from keras_csg.evaluation import FilterSurvey, collect_samples, survey_filters
from keras_csg.evaluation.top_images import TopImages
from keras_csg.metrics import mutual_information
from tests.tiny import tiny_classifier, tiny_data, tiny_split

RED, GREEN, BLUE = np.eye(3)
HEAD = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.5]], "float32")
GATE = np.array([[1.0, 0.0, 0.75], [0.0, 1.0, 1.0]], "float32")


def colour_classifier(gated=True, multi_label=False):
    """Three filters, the three channels over cells of 2x2 pixels."""
    images = keras.Input((4, 4, 3), name="images")
    maps = keras.layers.AveragePooling2D(2, name="cells")(images)
    maps = keras.layers.ReLU(name="relu")(maps)
    model = CSGClassifier(
        keras.Model(images, maps),
        2,
        gated=gated,
        multi_label=multi_label,
        class_names=["warm", "cold"],
        filter_names={1: "grass"},
    )
    model.head.set_weights([HEAD, np.zeros(2)])
    if gated:
        model.gate.gate_matrix.assign(GATE)
    return model


def image(colour, corner):
    """A black image with one cell of a colour at its upper left."""
    pixels = np.zeros((4, 4, 3), "float32")
    pixels[:2, :2] = np.multiply(corner, colour)
    return pixels


IMAGES = np.stack(
    [
        image(RED, 80),  # Filter 0: 20 on average.
        image(RED + GREEN, 40),  # Filters 0 and 1: 10 each; a tie.
        image(RED, 160),  # Filter 0: 40.
        image(GREEN, 120),  # Filter 1: 30.
        image(GREEN, 200),  # Filter 1: 50.
        image(RED, 200),  # Filter 0: 50, but its class is the second.
    ]
)
LABELS = np.array([0, 0, 0, 1, 1, 1], "int32")


def batches(size=4, labels=LABELS):
    return [
        (IMAGES[start : start + size], labels[start : start + size])
        for start in range(0, len(IMAGES), size)
    ]


@pytest.fixture(scope="module")
def survey():
    return survey_filters(colour_classifier(), batches(), images_per_filter=3)


def test_it_says_what_the_model_is(survey):
    assert survey.class_names == ["warm", "cold"]
    assert survey.filter_names == {1: "grass"}
    assert survey.samples == 6 and survey.filters == 3
    assert_array_equal(survey.gate_matrix, GATE)
    assert_array_equal(survey.filter_classes, [0, 1, 1])


def test_top_images_are_those_with_the_largest_activation(survey):
    assert_array_equal(survey.top_samples, [[5, 2, 0], [4, 3, 1], [-1, -1, -1]])
    assert_allclose(survey.top_values[:2], [[50, 40, 20], [50, 30, 10]])
    assert np.isnan(survey.top_values[2]).all()
    assert_array_equal(survey.top_labels, [[1, 0, 0], [1, 1, 0], [-1, -1, -1]])


def test_purity_is_the_share_of_the_filters_class(survey):
    assert_allclose(survey.purity, [2 / 3, 2 / 3, np.nan])


def test_maps_show_where_in_the_image(survey):
    assert survey.top_maps.shape == (3, 3, 2, 2)
    assert_allclose(survey.top_maps[0, 0], [[200, 0], [0, 0]])
    assert_allclose(survey.top_maps[1, :, 0, 0], [200, 120, 40])
    assert not survey.top_maps[2].any()


def test_high_is_half_way_from_the_mean_to_the_peaks(survey):
    mean = (20 + 10 + 40 + 50) / 6
    peaks = (200 + 160 + 80) / 3
    assert survey.thresholds[0] == pytest.approx((mean + peaks) / 2)
    assert np.isinf(survey.thresholds[2])


def test_each_image_has_one_thumbnail(survey):
    assert survey.thumbnails.shape == (6, 4, 4, 3)
    for number, row in survey.thumbnail_of.items():
        assert_array_equal(survey.thumbnails[row], IMAGES[number])


def test_an_image_of_no_filter_has_no_thumbnail():
    survey = survey_filters(colour_classifier(), batches(), images_per_filter=1)
    assert survey.thumbnail_of == {4: 0, 5: 1}
    assert_array_equal(survey.thumbnails[1], IMAGES[5])


def test_recall_is_lost_with_the_filter_it_hangs_on(survey):
    """The last image, red and cold, is taken for warm."""
    assert_allclose(survey.recall, [1, 2 / 3])
    # Of no colour left, a tie goes to the first class; the second image has
    # green, which speaks for the second.
    assert_allclose(survey.recall_without, [2 / 3, 0, 2 / 3])
    assert_allclose(survey.recall_without_all, [2 / 3, 0])


def test_shared_and_dead_filters(survey):
    assert_array_equal(survey.shared, [False, False, True])
    assert_array_equal(survey.dead, [False, False, True])


def test_class_means(survey):
    assert_allclose(
        survey.class_means, [[70 / 3, 10 / 3, 0], [50 / 3, 80 / 3, 0]]
    )


def test_without_a_gate_the_head_says_the_class():
    survey = survey_filters(colour_classifier(gated=False), batches())
    assert survey.gate_matrix is None
    assert_array_equal(survey.filter_classes, [0, 1, 1])
    assert not survey.shared.any() and survey.shared.dtype == bool


def test_several_classes_an_image():
    labels = np.array(
        [[1, 0], [1, 1], [1, 0], [0, 1], [0, 1], [0, 0]], "float32"
    )
    model = colour_classifier(multi_label=True)
    model.head.set_weights([HEAD, np.array([-15.0, -15.0])])
    survey = survey_filters(model, batches(labels=labels), images_per_filter=3)
    # Red: image 5 has neither; green: image 1 has both.
    assert_array_equal(survey.top_labels[:2], [[-1, 0, 0], [1, 1, 1]])
    assert_allclose(survey.purity[:2], [2 / 3, 1])
    assert_allclose(survey.recall, [2 / 3, 2 / 3])  # 10 is below 15.
    assert_allclose(survey.recall_without, [0, 0, 2 / 3])


def test_a_filter_that_is_another_is_its_duplicate():
    model = colour_classifier()
    pairs = survey_filters(model, batches()).duplicates
    assert pairs == []
    grey = IMAGES.copy()
    grey[..., 1] = grey[..., 0]
    ((first, second, correlation),) = survey_filters(
        model, [(grey, LABELS)]
    ).duplicates
    assert (first, second) == (0, 1) and correlation == pytest.approx(1)


def test_it_agrees_with_evaluation():
    model = tiny_classifier()
    split = tiny_split()
    samples = collect_samples(model, split)
    survey = survey_filters(model, split.batches(32))
    information = mutual_information(
        samples.features, samples.labels, num_classes=4
    )
    assert_allclose(survey.information, information, atol=1e-6)
    own = survey.information[survey.filter_classes, range(survey.filters)]
    assert_array_equal(survey.own_information, own)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_do_not_matter(size):
    """Images are looked at in batches; the first of a tie is the earlier."""
    model = tiny_classifier()
    images, labels = tiny_data()
    whole = survey_filters(model, [(images, labels)])
    parts = survey_filters(
        model,
        iter(
            [
                (images[start : start + size], labels[start : start + size])
                for start in range(0, len(images), size)
            ]
        ),
    )
    for field in dataclasses.fields(FilterSurvey):
        mine, other = (getattr(s, field.name) for s in (parts, whole))
        if field.name in ("top_maps", "top_values", "class_means"):
            assert_allclose(mine, other, rtol=1e-4, atol=1e-4)
        elif field.name in ("thumbnails", "top_samples", "top_labels"):
            assert_array_equal(mine, other)


@pytest.mark.parametrize("most", [1, 9, 500])
def test_the_running_top_is_that_of_a_full_sort(most):
    rng = np.random.default_rng(0)
    # Few values, so that many are alike.
    features = rng.integers(0, 40, (300, 11)).astype("float32")
    maps = rng.normal(size=(300, 2, 3, 11)).astype("float32")
    top = TopImages(11, most)
    for start in range(0, 300, 23):
        part = slice(start, start + 23)
        top.add(features[part], maps[part], np.zeros((23, 2, 2, 3)))
    order = np.argsort(-features, axis=0, kind="stable")[:most].T
    found = slice(0, order.shape[1])
    assert_array_equal(top.samples[:, found], order)
    assert_array_equal(
        top.values[:, found], np.take_along_axis(features.T, order, 1)
    )
    for k, numbers in enumerate(order):
        assert_array_equal(top.maps[k, found], maps[numbers, :, :, k])
    assert (top.samples[:, order.shape[1] :] == -1).all()


def test_no_more_is_kept_than_the_top_images():
    rng = np.random.default_rng(0)
    top = TopImages(filters=5, images_per_filter=3)
    for _ in range(40):
        top.add(
            rng.normal(size=(16, 5)),
            rng.normal(size=(16, 4, 4, 5)),
            np.zeros((16, 8, 8, 3)),
        )
        assert top.maps.shape == (5, 3, 4, 4)
        assert len(top.thumbnails()[0]) == len(top._thumbnails) <= 15
    assert top.count == 640


def test_thumbnails_of_many_filters_are_smaller():
    assert TopImages(64, 9).side_of((224, 224)) == 112
    assert TopImages(64, 9).side_of((32, 32)) == 32
    side = TopImages(2048, 9).side_of((224, 224))
    assert 60 < side < 80


def test_images_get_the_numbers_of_the_split_they_are_of(survey):
    renumbered = survey.renumbered(np.array([10, 11, 12, 13, 14, 15]))
    assert_array_equal(renumbered.top_samples[0], [15, 12, 10])
    assert_array_equal(renumbered.top_samples[2], [-1, -1, -1])
    row = renumbered.thumbnail_of[15]
    assert_array_equal(renumbered.thumbnails[row], IMAGES[5])


def test_nothing_to_look_at():
    with pytest.raises(ValueError, match="no batch"):
        survey_filters(colour_classifier(), [])
    with pytest.raises(ValueError, match="images_per_filter"):
        survey_filters(colour_classifier(), batches(), images_per_filter=0)


def test_broken_weights_are_named():
    model = colour_classifier()
    images = np.full((2, 4, 4, 3), np.nan, "float32")
    with pytest.raises(ValueError, match="finite"):
        survey_filters(model, [(images, LABELS[:2])])
