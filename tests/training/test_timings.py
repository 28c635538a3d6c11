import time

from keras_csg.training.timings import Timings
from tests.tiny import tiny_classifier, tiny_data


def test_parts_add_up_and_are_named():
    timings = Timings()
    for _ in range(2):
        with timings.of("startup"):
            time.sleep(0.02)
    model = tiny_classifier()
    model.compile("sgd")
    began = time.monotonic()
    model.fit(*tiny_data(), epochs=2, callbacks=[timings], verbose=0)
    took = time.monotonic() - began
    assert list(timings.seconds) == ["startup", "first_step", "training"]
    assert 0.04 <= timings.seconds["startup"] < 1
    # Tracing takes longer than the few small steps after it.
    assert timings.seconds["first_step"] > timings.seconds["training"] / 10
    assert sum(timings.seconds.values()) < took + 1
    assert set(timings.figures()) == {
        "startup_seconds",
        "first_step_seconds",
        "training_seconds",
    }
    assert timings.line().startswith("Time: startup 0.0 s, first step ")
