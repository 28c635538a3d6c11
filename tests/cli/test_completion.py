"""Shells complete commands, options and what options can be."""

import os
import shutil
import subprocess
import sys

import pytest

PROGRAM = "from keras_csg_cli.__main__ import main; main()"
ASK = "_KERAS_CSG_COMPLETE"


def ask(what, words=""):
    """Asks as a shell does; returns what comes."""
    place = str(len(words.split(" ")) - 1)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, ASK: what, "COMP_WORDS": words, "COMP_CWORD": place},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell):
    text = ask(f"{shell}_source")
    assert "keras-csg" in text and f"{ASK}={shell}_complete" in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("keras-csg ev", ["evaluate"]),
        ("keras-csg detect ", ["fit", "score"]),
        ("keras-csg train --resi", ["--resize"]),
        ("keras-csg train --resize ", ["crop", "pad", "squash"]),
        ("keras-csg train --recipe ph", ["photographs"]),
        ("keras-csg train --backbone resnet18", ["resnet18", "resnet18v2"]),
        ("keras-csg train --weights i", ["imagenet"]),
        ("keras-csg weights cifar10-", ["cifar10-standard"]),
    ],
)
def test_a_word_is_completed(words, expected):
    lines = ask("bash_complete", words).splitlines()
    assert [line.split(",")[1] for line in lines] == expected


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_after_the_line_of_the_page(tmp_path):
    program = tmp_path / "keras-csg"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{PROGRAM}" "$@"')
    program.chmod(0o755)
    script = (
        f'eval "$({ASK}=bash_source keras-csg)"\n'
        "COMP_WORDS=(keras-csg ex) COMP_CWORD=1\n"
        '_keras_csg_completion keras-csg ex keras-csg; echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "explain export\n", done.stderr
