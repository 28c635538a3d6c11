import importlib
import json
import subprocess
import sys
from importlib import metadata

import pytest

from keras_csg.commands import installed


def test_versions_are_told_at_once():
    code = (
        "import sys; from keras_csg_cli.main import cli;"
        "cli.main(['--version'], standalone_mode=False);"
        "sys.exit(len({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, others = done.stdout.splitlines()
    assert first == f"keras-csg, version {metadata.version('keras-csg')}"
    assert f"tensorflow {metadata.version('tensorflow')}" in others


def test_what_is_here_is_printed(run_cli):
    code, out, err = run_cli("doctor", "--no-self-test")
    assert code == 0 and not err
    assert f"keras {metadata.version('keras')}" in out
    assert "Keras runs on tensorflow and sees" in out
    assert out.endswith("All is well.\n")


def test_a_program_can_read_it(run_cli):
    code, out, err = run_cli("doctor", "--no-self-test", "--json")
    assert code == 0
    assert {"ok", "devices", "extras", "packages"} <= set(json.loads(out))


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_what_is_missing_ends_with_code_1(how, run_cli, monkeypatch):
    missing = {"name": "numpy", "needed": ">=9"}
    missing |= {"installed": None, "fits": False}
    module = importlib.import_module("keras_csg.commands.doctor")
    monkeypatch.setattr(module, "packages", lambda: [missing])
    monkeypatch.setattr(
        module,
        "extras",
        lambda: [
            {
                "name": "app",
                "here": False,
                "missing": ["gradio>=6"],
                "install": "pip install 'keras-csg[app]'",
            }
        ],
    )
    code, out, err = run_cli("doctor", "--no-self-test", *how)
    assert code == 1 and "Traceback" not in err
    assert "pip install 'numpy>=9'" in out
    assert "pip install 'keras-csg[app]'" in out
    assert "All is well" not in out


@pytest.mark.slow
def test_without_keras_it_still_answers(tmp_path):
    (tmp_path / "keras.py").write_text("raise ImportError('broken')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from keras_csg_cli.main import main; main(['doctor'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Problem: Keras does not start" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_extras_are_those_of_users():
    names = {extra["name"] for extra in installed.extras()}
    assert {"app", "server", "tensorboard"} <= names
    assert not names & {"dev", "test", "bench"}
