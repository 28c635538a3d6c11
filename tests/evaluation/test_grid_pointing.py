from keras_csg.evaluation import evaluate_grid_pointing
from tests.evaluation.confident import confident_classifier
from tests.tiny import tiny_data

MAPS = ["cam", "gradient_map", "activation_map"]


def test_the_grid_game_finds_the_cell():
    model = confident_classifier()
    images, labels = tiny_data(200)
    game = evaluate_grid_pointing(model, images, labels, 2, mosaics=6)
    shares = game.shares
    assert list(shares) == [f"gated_{name}" for name in MAPS] + MAPS + [
        "chance"
    ]
    assert shares["chance"] == 0.25
    assert shares["cam"] > 0.3
    assert game.images == 24 and game.classes == 4
    assert game == evaluate_grid_pointing(model, images, labels, 2, mosaics=6)
    assert evaluate_grid_pointing(model, images, labels, 3) is None


def test_a_backbone_of_one_size_gets_smaller_mosaics(monkeypatch):
    def refuse(*args):
        raise ValueError("one size only")

    monkeypatch.setattr(
        "keras_csg.evaluation.grid_pointing.clone_classifier", refuse
    )
    model, (images, labels) = confident_classifier(), tiny_data(200)
    game = evaluate_grid_pointing(model, images, labels, 2, mosaics=6)
    assert game.shares["cam"] > 0.3
