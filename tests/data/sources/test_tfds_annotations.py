import numpy as np
import pytest
import tensorflow_datasets as tfds
from numpy.testing import assert_array_equal

from keras_csg.data import load_annotated, load_annotated_images, load_data
from keras_csg.data.sources import tfds_annotations
from keras_csg.data.sources.tfds_annotations import load_annotated_tfds

IMAGE = tfds.features.Image(shape=(None, None, 3))
MASK = tfds.features.Image(shape=(None, None, 1))
BOX = tfds.features.BBoxFeature()
LABEL = tfds.features.ClassLabel(names=["ant", "bee"])
BIRDS = {"image": IMAGE, "label": LABEL}
OBJECTS = tfds.features.Sequence({"label": LABEL, "bbox": BOX})


@pytest.fixture
def prepare(tmp_path):
    """Prepares a TFDS set whose splits hold the given examples."""

    def prepare(name, features, **splits):
        class Annotated(
            tfds.core.GeneratorBasedBuilder, skip_registration=True
        ):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                return tfds.core.DatasetInfo(
                    builder=self,
                    features=tfds.features.FeaturesDict(features),
                    supervised_keys=("image", "label")
                    if "label" in features
                    else None,
                )

            def _split_generators(self, dl_manager):
                return {s: enumerate(e) for s, e in splits.items()}

            def _generate_examples(self):
                raise NotImplementedError

        Annotated.name = name
        Annotated(data_dir=tmp_path).download_and_prepare()
        return {"data_dir": tmp_path}

    return prepare


def image(height=20, width=40):
    return np.full((height, width, 3), 7, "uint8")


def box(y0, x0, y1, x1):
    return tfds.features.BBox(*map(float, (y0, x0, y1, x1)))


def test_boxes_follow_crop_and_resize(prepare):
    example = {"image": image(), "label": 1, "bbox": box(0, 0.25, 0.5, 0.5)}
    where = prepare("box_set", {**BIRDS, "bbox": BOX}, test=[example])
    found = load_annotated_tfds("box_set", ["ant", "bee"], (10, 10), **where)
    assert found.images.shape == (1, 10, 10, 3)
    assert_array_equal(found.labels, [1])
    # The middle 20 of 40 columns stay: 10 to 20 of them become 0 to 5.
    expected = np.zeros((10, 10), bool)
    expected[:5, :5] = True
    assert_array_equal(found.masks[0], expected)


@pytest.mark.parametrize(
    "name, levels",
    [
        ("mask_set", (0, 255)),
        ("mask_two", (51, 204)),
        ("trimap_set", (2, 1)),
    ],
)
def test_masks_come_before_boxes(prepare, monkeypatch, name, levels):
    assert tfds_annotations.TRIMAPS["oxford_iiit_pet"] == 1
    monkeypatch.setitem(tfds_annotations.TRIMAPS, "trimap_set", 1)
    mask = np.full((20, 40, 1), levels[0], "uint8")
    mask[:, 20:] = levels[1]
    example = {
        "image": image(),
        "label": 0,
        "bbox": box(0, 0, 1, 1),
        "segmentation_mask": mask,
    }
    features = {**BIRDS, "bbox": BOX, "segmentation_mask": MASK}
    where = prepare(name, features, test=[example])
    found = load_annotated_tfds(name, None, (10, 10), **where)
    expected = np.zeros((10, 10), bool)
    expected[:, 5:] = True
    assert_array_equal(found.masks[0], expected)


def test_the_largest_object_names_the_class(prepare):
    objects = [
        {"label": 0, "bbox": box(0, 0, 0.2, 0.2)},
        {"label": 1, "bbox": box(0, 0, 1, 0.5)},
        {"label": 1, "bbox": box(0.5, 0.5, 1, 1)},
    ]
    examples = [
        {"image": image(20, 20), "objects": objects},
        {"image": image(20, 20), "objects": []},
    ]
    features = {"image": IMAGE, "objects": OBJECTS}
    where = prepare("object_set", features, validation=examples)
    found = load_annotated_tfds("object_set", ["bee", "cow"], (4, 4), **where)
    assert_array_equal(found.labels, [0])
    assert_array_equal(found.masks[0], [[1, 1, 0, 0]] * 2 + [[1] * 4] * 2)
    with pytest.raises(ValueError, match="with splits validation"):
        load_annotated_tfds("object_set", ["cow"], (4, 4), **where)


def test_a_part_has_a_box_of_its_own(prepare):
    features = {**BIRDS, "bbox": BOX, "head_bbox": BOX}
    none, head = box(0, 0, 0, 0), box(0, 0, 1, 0.5)
    examples = [
        {"image": image(8, 8), "label": 0, "bbox": head, "head_bbox": b}
        for b in (none, head, head)
    ]
    where = prepare("head_set", features, test=examples)
    found = load_annotated_tfds(
        "head_set", None, (4, 4), part="head", limit=1, **where
    )
    assert_array_equal(found.masks, [[[1, 1, 0, 0]] * 4])
    with pytest.raises(ValueError, match="Received: part='leg'"):
        load_annotated_tfds("head_set", None, (4, 4), part="leg", **where)


def test_a_set_by_name_brings_its_annotations(prepare):
    features = {**BIRDS, "bbox": BOX}
    examples = [
        {"image": image(8, 8), "label": n % 2, "bbox": box(0, 0, 1, 0.5)}
        for n in range(20)
    ]
    where = prepare("bird_set", features, train=examples, test=examples[:3])
    data = load_data("bird_set", image_size=4, **where)
    found = load_annotated(data)
    assert found.masks.shape == (3, 4, 4)
    plain = [{k: e[k] for k in ("image", "label")} for e in examples]
    prepare("plain_set", BIRDS, train=plain, test=plain)
    data = load_data("plain_set", image_size=4, **where)
    assert load_annotated(data, limit=2).masks is None


def test_what_was_trained_on_is_not_tested_on(prepare):
    features = {**BIRDS, "bbox": BOX}
    example = {"image": image(8, 8), "label": 0, "bbox": box(0, 0, 1, 1)}
    where = prepare("train_set", features, train=[example])
    assert load_annotated_tfds("train_set", None, (4, 4), **where) is None


def test_a_set_of_boxes_without_a_class_label_serves_a_network(prepare):
    objects = [{"label": 1, "bbox": box(0, 0, 1, 0.5)}]
    examples = [{"image": image(20, 20), "objects": objects}]
    features = {"image": IMAGE, "objects": OBJECTS}
    where = prepare("object_set", features, train=examples, test=examples)
    with pytest.raises(ValueError, match="one class label each"):
        load_data("object_set", **where)
    found = load_annotated_images("object_set", ["bee"], (4, 4), **where)
    assert_array_equal(found.labels, [0])
    assert_array_equal(found.masks, [[[1, 1, 0, 0]] * 4])
    with pytest.raises(ValueError, match="belong to a folder of images"):
        load_annotated_images(
            "object_set", ["bee"], (4, 4), masks="masks", **where
        )


def test_a_set_without_annotations_must_be_of_the_networks_classes(prepare):
    plain = [{"image": image(8, 8), "label": n % 2} for n in range(20)]
    where = prepare("plain_set", BIRDS, train=plain, test=plain[:3])
    found = load_annotated_images("plain_set", ["ant", "bee"], (4, 4), **where)
    assert found.masks is None and found.images.shape == (3, 4, 4, 3)
    with pytest.raises(ValueError, match=r"classes \(bee\).*of ant, bee"):
        load_annotated_images("plain_set", ["bee"], (4, 4), **where)
