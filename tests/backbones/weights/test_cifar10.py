"""The weights that come with the package are what their cards say."""

import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import keras_csg
from keras_csg.backbones.weights.shipped import cards
from keras_csg.backbones.weights.shipped.cards import FOLDER

NAMES = ["cifar10", "cifar10-standard"]


def test_they_are_listed():
    cards = keras_csg.list_weights()
    assert [card.name for card in cards] == NAMES
    assert {path.suffix for path in FOLDER.iterdir() if path.is_file()} == {
        ".py",
        ".json",
        ".keras",
    }
    for card in cards:
        assert card.path.stat().st_size < 1.5e6
        assert card.limits and card.data and card.figures["accuracy"] > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_build_gives_the_trained_network(name):
    model = keras_csg.build("resnet20", 10, weights=name)
    (card,) = keras_csg.list_weights(name)
    assert model.class_names == list(card.class_names)
    assert model.gated == (name == "cifar10")
    trained = keras.models.load_model(card.path)
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3))
    assert_allclose(
        model.predict(images, verbose=0),
        trained.predict(images, verbose=0),
        atol=1e-5,
    )
    if model.gated:
        gate = keras.ops.convert_to_numpy(model.gate.gate_matrix)
        assert_allclose(gate.sum(axis=0), 1)  # Each filter has one class.
        served = (gate > 0.5).sum(axis=1).tolist()
        assert served == card.figures["filters_per_class"]
        assert min(served) >= 0.5 * gate.shape[1] / 10  # The least share.


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_those_of_the_card(name, cifar10_dir, tmp_path):
    (card,) = keras_csg.list_weights(name)
    model = keras_csg.build("resnet20", 10, weights=name)
    model.compile()
    data = keras_csg.load_data("cifar10", data_dir=cifar10_dir)
    found = model.evaluate(data.test.batches(250), return_dict=True, verbose=0)
    assert_allclose(found["accuracy"], card.figures["accuracy"], atol=1e-3)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "nested too deep"),
        ("{}", "`[a-z_0-9]+` is missing"),
        ("[]", "must be a table"),
    ],
)
def test_a_card_that_is_none_is_one_line(text, words, tmp_path, monkeypatch):
    (tmp_path / "odd.json").write_text(text)
    monkeypatch.setattr(cards, "FOLDER", tmp_path)
    words = f"odd.json is damaged: .*{words}"
    with pytest.raises(ValueError, match=words) as raised:
        cards.read_card("odd")
    assert "\n" not in str(raised.value)


def test_the_fields_of_a_card_are_checked(tmp_path, monkeypatch):
    values = json.loads((FOLDER / "cifar10.json").read_text("utf-8"))
    monkeypatch.setattr(cards, "FOLDER", tmp_path)
    for name, value in (("class_names", [3]), ("figures", 5), ("sha256", 1)):
        text = json.dumps({**values, name: value})
        (tmp_path / "odd.json").write_text(text)
        with pytest.raises(ValueError, match=f"is damaged: `{name}") as raised:
            cards.read_card("odd")
        assert str(raised.value).endswith("Install keras-csg again.")
