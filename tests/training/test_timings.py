import re
import time

import pytest

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


def test_the_line_accounts_for_all_the_time_there_was():
    began = time.monotonic()
    time.sleep(0.1)
    timings = Timings()
    timings.count_before("imports", began)
    with timings.of("startup"):
        time.sleep(0.3)
    time.sleep(0.2)
    parts = re.fullmatch(
        r"Time: (\S+) s: imports (\S+) s, startup (\S+) s, other (\S+) s",
        timings.line(),
    )
    total, *spent = map(float, parts.groups())
    assert total == pytest.approx(sum(spent), abs=0.21)
    assert total >= 0.6 and spent[0] >= 0.1 and spent[2] >= 0.2
