"""Of warnings that are alike a few are shown."""

import collections

from keras_csg_cli import main


def test_a_flood_of_warnings_is_cut(monkeypatch):
    monkeypatch.setattr(main, "_warned", collections.Counter())
    lines = [
        main._warning(f"layer {number} has none", UserWarning, "a.py", 5)
        for number in range(9)
    ]
    assert "".join(lines).splitlines() == [
        "Warning: layer 0 has none",
        "Warning: layer 1 has none",
        "Warning: layer 2 has none",
        "Warning: more like the last one are not shown.",
    ]
    assert main._warning("other", UserWarning, "a.py", 6) == "Warning: other\n"
