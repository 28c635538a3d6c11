"""What a run costs."""

from keras_csg.training.costs import costs_of, line_of
from tests.tiny import tiny_classifier


def test_what_a_network_and_its_epochs_cost():
    model = tiny_classifier()
    found = costs_of(model, [3.0, 1.0, 2.0])
    norm = 4 * 6
    assert found["parameters"] == (9 * 3 * 6 + 6) + norm + (6 * 4 + 4)
    # The step is compiled in the first.
    assert found["epoch_seconds"] == 1.5
    assert costs_of(model, [3.0])["epoch_seconds"] == 3.0
    assert 50 < found["peak_memory_mib"] < 100_000
    line = line_of({**found, "peak_memory_mib": 1234})
    assert line.startswith("Costs: 220 parameters, 0.0 M multiply-adds, peak ")
    assert line.endswith("memory 1,234 MiB, 1.5 s an epoch")
    assert "epoch_seconds" not in costs_of(model, [])
