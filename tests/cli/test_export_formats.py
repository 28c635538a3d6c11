"""Formats whose runtime need not be installed."""

import sys

from tests.cli.test_export import names_in


def test_a_missing_runtime_is_left_out_of_all_and_refused_by_name(
    tiny_run, run_cli, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "openvino", None)
    arguments = ["export", tiny_run, "--outputs", "probabilities"]
    code, out, err = run_cli(
        *[*arguments, "--out", tmp_path / "all", "--format", "all"]
    )
    assert code == 0, err
    said = [line for line in err.splitlines() if "Without openvino" in line]
    assert len(said) == 1 and "keras-csg[openvino]" in said[0]
    assert "openvino" not in names_in(tmp_path / "all")
    code, out, err = run_cli(
        *[*arguments, "--out", tmp_path / "one", "--format", "openvino"]
    )
    assert code == 2
    assert len(err.splitlines()) == 1 and "keras-csg[openvino]" in err
    assert not (tmp_path / "one").exists()
