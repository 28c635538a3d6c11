"""Killed at any moment and called again, a command ends as if it never was."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="no processes of this kind"
)
# What says how long something took, or where it lies, and the checksums of it.
TIMED = {
    "metrics.json",
    "history.csv",
    "record.json",
    "checksums.json",
    "model.onnx.proof.json",
}


def crash(kind, folder, moments, seed, run=None):
    """Returns what an undisturbed command left, and what killed ones did."""
    named = [] if run is None else ["--run", run]
    command = [sys.executable, "-m", "tests.cli.crashing", kind, folder]
    given = [moments, seed, *named]
    called = subprocess.run(
        [str(part) for part in (*command, *given)],
        capture_output=True,
        text=True,
    )
    assert called.returncode == 0, called.stdout[-4000:] + called.stderr[-4000:]
    whole, *torn = json.loads(called.stdout.splitlines()[-1])
    moments_of = ", ".join(f"{t['moment']:.2f}" for t in torn)
    sys.stdout.write(f"seed {seed}: killed after {moments_of} seconds\n")
    assert len(torn) == moments
    return whole["left"], torn


def untimed(left):
    return {
        name: digest
        for name, digest in left.items()
        if os.path.basename(name) not in TIMED
    }


def check_training(folder, moments, seed):
    whole, torn = crash("train", folder, moments, seed)
    assert "out/model.keras" in whole
    for run in torn:
        assert run["code"] == 0, run
        assert "Traceback" not in run["said"]
        # Weights and optimizer to the bit, and no file more or less.
        assert run["left"].keys() == whole.keys(), run["moment"]
        assert untimed(run["left"]) == untimed(whole), run["moment"]


def test_a_killed_training_ends_with_the_same_weights(tmp_path):
    check_training(tmp_path, 1, seed=1)


@pytest.mark.slow
def test_a_training_killed_at_random_moments_ends_with_the_same_weights(
    tmp_path,
):
    check_training(tmp_path, 20, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["export", "report"])
def test_a_command_killed_at_random_moments_works_again(
    kind, tmp_path, make_tiny_run
):
    run = make_tiny_run(tmp_path / "run", epochs=1)
    whole, torn = crash(kind, tmp_path / "killed", 20, 3, run)
    for called in torn:
        # What was finished when it was killed is not written over.
        done = kind == "export" and "exists" in called["said"]
        assert called["code"] == (2 if done else 0), called
        assert "Traceback" not in called["said"]
        assert called["left"].keys() == whole.keys(), called["moment"]
        assert untimed(called["left"]) == untimed(whole), called["moment"]
