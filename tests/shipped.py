"""Weights that come with the package, of networks that are quickly trained."""

import contextlib
from unittest import mock

import keras_csg
from keras_csg.backbones.weights.shipped import cards
from keras_csg.training import open_run
from keras_csg.training.shipping import ship
from tests.tiny import registered_tiny
from tests.tiny_run import make_tiny_run


@contextlib.contextmanager
def shipped_tiny(folder, **gated):
    """Trains the tiny network on digits; ships it under the names in `gated`.

    Gives the runs, by name.
    """
    shipped = folder / "shipped"
    shipped.mkdir()
    with registered_tiny(), mock.patch.object(cards, "FOLDER", shipped):
        yield {
            name: _shipped(folder, name, has_gate)
            for name, has_gate in gated.items()
        }


def _shipped(folder, name, gated):
    data = keras_csg.load_data("digits", image_size=8)
    options = {"backbone": "tiny", "epochs": 2, "standard": not gated}
    path = make_tiny_run(folder / name, data, 2, options, gated=gated)
    run = open_run(path)
    run.write_metrics({"accuracy": 0.5, "training_minutes": 0.1})
    ship(
        run,
        folder / "shipped" / f"{name}.keras",
        description=f"{name}, of a test",
        data="digits",
        limits=["knows little"],
        licence="Apache-2.0",
    )
    return run
