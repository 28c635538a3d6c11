"""What is left of an export that failed or was stopped."""

import pytest

from keras_csg.deployment import exporting_all
from keras_csg.deployment.proof import ProofError
from tests.cli.test_export import names_in


def fail_in(monkeypatch, format, error):
    """Lets the export of one format fail, and the others be."""
    real = exporting_all.export

    def export(model, path, of, **kwargs):
        if of == format:
            raise error
        return real(model, path, of, **kwargs)

    monkeypatch.setattr(exporting_all, "export", export)


def test_what_fails_is_named_and_the_rest_stays(
    monkeypatch, tiny_run, run_cli, tmp_path
):
    fail_in(monkeypatch, "onnx", ProofError("off by 1"))
    code, out, err = run_cli(
        *["export", tiny_run, "--out", tmp_path / "out"],
        *["--format", "onnx", "--format", "litert"],
    )
    assert code == 1
    (line,) = [x for x in err.splitlines() if "model.onnx" in x]
    assert line == f"Error: {tmp_path / 'out' / 'model.onnx'}: off by 1"
    assert names_in(tmp_path / "out") == {"model.tflite"}
    assert "model.tflite" in out and "model.onnx" not in out


@pytest.mark.parametrize(
    "error, expected",
    [(ValueError("no such operation"), 2), (RuntimeError("a bug"), 1)],
)
def test_a_mistake_is_told_from_a_bug(
    error, expected, monkeypatch, tiny_run, run_cli, tmp_path
):
    fail_in(monkeypatch, "onnx", error)
    code, out, err = run_cli("export", tiny_run, "--out", tmp_path / "out")
    assert code == expected
    assert str(error) in err.splitlines()[-1]
    assert ("Traceback" in err) == isinstance(error, RuntimeError)
    assert not (tmp_path / "out").exists()


def test_stopped_nothing_half_is_left(monkeypatch, tiny_run, run_cli, tmp_path):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_csg.deployment.exporting.prove", stop)
    code, out, err = run_cli("export", tiny_run, "--out", tmp_path / "out")
    assert code == 130
    assert err.splitlines()[-1].startswith("Stopped; nothing is left half")
    assert not (tmp_path / "out").exists()
