"""How much each class counts, and what else shapes the loss and its step."""

import json

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.data import load_data
from keras_csg.training import Run, Trainer, TrainingOptions
from keras_csg.training.class_weights import class_weights_of, with_weights
from keras_csg.training.optimizers import create_optimizer

tf = pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", image_size=8)


def test_balanced_weights_are_those_of_scikit_learn(digits):
    from sklearn.utils.class_weight import compute_class_weight

    _, labels = digits.train.images_and_labels()
    expected = compute_class_weight("balanced", classes=np.arange(10), y=labels)
    found = class_weights_of("balanced", digits)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_file_names_each_class(digits, tmp_path, suffix):
    weights = {name: n / 2 for n, name in enumerate(digits.class_names)}
    path = tmp_path / f"weights{suffix}"
    rows = [f"{name},{weight}" for name, weight in weights.items()]
    text = "\n".join(["class,weight", *rows])
    path.write_text(json.dumps(weights) if suffix == ".json" else text)
    found = class_weights_of(str(path), digits)
    np.testing.assert_array_equal(found, np.arange(10) / 2)


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"0": 1}', "without 1, 2, 3, 4, \\.\\.\\."),
        ('{"0": 1, "cow": 1}', "without 1, 2, 3, 4, .* and with cow"),
        ('{"0": 1, "0": 2}', "must name each class once: '0'"),
        (
            '{"0": "much"}',
            "from 0 to 1,000,000. Received: '0' with 'much'",
        ),
        ('{"0": -1}', "Received: '0' with -1"),
        ('{"0": 1e38}', "Received: '0' with 1e"),
        ('{"0": true}', "Received: '0' with True"),
        ("[1, 2]", "must be a JSON table"),
        ("{", "must be a JSON table"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(digits, tmp_path, text, said):
    path = tmp_path / "weights.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        class_weights_of(str(path), digits)
    table = dict.fromkeys([*digits.class_names, "cow"], 1)
    path.write_text(json.dumps(table))
    with pytest.raises(ValueError, match="weights.json with cow"):
        class_weights_of(str(path), digits)
    with pytest.raises(ValueError, match="Cannot read"):
        class_weights_of(str(tmp_path / "none.csv"), digits)
    (tmp_path / "a.csv").write_text("name,weight\na,1\n")
    with pytest.raises(ValueError, match="must have the columns class and we"):
        class_weights_of(str(tmp_path / "a.csv"), digits)
    (tmp_path / "a.csv").write_text('class,weight\n"0,1\n')
    with pytest.raises(ValueError, match="a.csv, line 2: .*not closed"):
        class_weights_of(str(tmp_path / "a.csv"), digits)


def test_images_count_by_their_labels_hard_and_soft():
    weights = np.array([1.0, 3.0], "float32")
    images = np.zeros((2, 4, 4, 3), "uint8")
    for labels, expected in (
        (np.array([1, 0], "int32"), [3, 1]),
        (np.array([[0.5, 0.5], [1, 0]], "float32"), [2, 1]),
    ):
        batches = tf.data.Dataset.from_tensors((images, labels))
        ((_, _, found),) = with_weights(batches, weights)
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("given", ["file", "dict"])
def test_a_class_without_weight_is_not_learnt(given, tiny, tmp_path, digits):
    weights = dict.fromkeys(digits.class_names, 1) | {"3": 0}
    path = tmp_path / "weights.json"
    path.write_text(json.dumps(weights))
    choice = path if given == "file" else weights
    lines = []
    figures = keras_csg.train(
        tmp_path / "run",
        data="digits",
        image_size=8,
        backbone=tiny,
        class_weights=choice,
        label_smoothing=0.1,
        clip_norm=1.0,
        epochs=3,
        log=lines.append,
    )
    assert "Classes count by their weights: 0 (3) to 1 (0)." in lines
    assert figures["class_recall"][3] == 0 and max(figures["class_recall"]) > 0
    run = Run(tmp_path / "run")
    kept = str(path) if given == "file" else weights
    assert run.options.class_weights == kept
    model = run.load_model()
    assert model.path_loss.label_smoothing == 0.1
    assert model.optimizer.global_clipnorm == 1.0


def test_a_missing_file_is_named_before_the_run_begins(tiny, tmp_path):
    options = TrainingOptions(
        backbone=tiny, image_size=8, class_weights=str(tmp_path / "no.json")
    )
    with pytest.raises(ValueError, match="Cannot read .*no.json"):
        Trainer(options, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_gradients_are_bounded_together():
    options = TrainingOptions(
        optimizer="sgd",
        learning_rate=1.0,
        momentum=0.0,
        weight_decay=0.0,
        lr_schedule="constant",
        lr_warmup=0,
        epochs=1,
        clip_norm=1.0,
    )
    optimizer = create_optimizer(options, 1)
    variables = [keras.Variable([0.0]), keras.Variable([0.0])]
    optimizer.apply([np.float32([3.0]), np.float32([4.0])], variables)
    found = [float(v[0]) for v in variables]
    assert found == pytest.approx([-0.6, -0.8])


@pytest.mark.parametrize(
    "weights, message",
    [
        ({"0": 1}, "without 1, 2, 3, 4, ..."),
        ({0: 1}, "with 0"),
        ({"3": "x"}, "'3' with 'x'"),
        ({"3": True}, "'3' with True"),
    ],
)
def test_a_dict_is_checked_as_a_file_is(weights, message, digits):
    with pytest.raises(ValueError, match=message):
        class_weights_of(weights, digits)
