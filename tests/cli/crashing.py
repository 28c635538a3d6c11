"""Kills commands at random moments and calls them again; prints what is left.

A process of its own, which has imported all and computed nothing yet: each
command is a fork of it, so that the moments fall into the command's own work.
"""

import argparse
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import time

from keras_csg_cli.main import main
from keras_csg_cli.options import load_library
from tests.cli.test_resume import weights_of
from tests.tiny import registered_tiny

TRAIN = [
    "train", "--data", "digits", "--image-size", "8", "--backbone", "tiny",
    "--epochs", "3", "--batch-size", "512", "--deterministic", "--log", "none",
    "--patience", "2", "--seed", "3",
]  # fmt: skip


class Command:
    """A command line, run in a fork.

    Args:
        args: list of str.
        log: path of what it says.
    """

    def __init__(self, args, log):
        sys.stdout.flush()
        self.log = log
        self.began = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            self._run(args)

    def _run(self, args):
        code = 1
        try:
            output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            with registered_tiny():
                main(args)
        except SystemExit as exit_:
            code = exit_.code or 0
        finally:
            os._exit(code)

    def wait(self):
        """Returns the exit code, negative of a signal, and the seconds."""
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return code, time.monotonic() - self.began

    def kill_after(self, seconds):
        """Kills it then, unless it has ended; returns as `wait` does."""
        end = self.began + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()[0]


def arguments(kind, folder, resume=False):
    """Returns a command that writes into `folder / "out"`."""
    out = str(folder / "out")
    if kind == "train":
        return [*TRAIN, "--out", out, *["--resume"] * resume]
    run = str(folder / "run")
    if kind == "export":
        return ["export", run, "--out", out, "--format", "onnx"]
    return ["report", run, "--out", f"{out}/page.html"]


def contents(folder):
    """Returns the SHA-256 of each file by its path; a model's: of weights."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(_bytes(path)).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _bytes(path):
    if path.suffix != ".keras":
        return path.read_bytes()
    weights = weights_of(path)
    return b"".join(name.encode() + weights[name].tobytes() for name in weights)


def kill(kind, path, log, rng, seconds):
    """Kills a command at a random moment; returns that."""
    while True:
        moment = rng.uniform(0, seconds)
        command = Command(arguments(kind, path), log)
        if command.kill_after(moment) < 0:
            return moment
        # It took less time than the undisturbed one did: once more.
        seconds = min(moment, time.monotonic() - command.began)
        shutil.rmtree(path / "out")


def ended(kind, folder, log):
    """Calls a command again, as what it said before tells; to its end."""
    begun = (folder / "out" / "config.json").exists()
    code, _ = Command(arguments(kind, folder, resume=begun), log).wait()
    return code


def crash(kind, folder, run, moments, seed):
    """Returns what is left of an undisturbed command and of killed ones."""
    folders = [folder / str(number) for number in range(moments + 1)]
    for path in folders:
        path.mkdir(parents=True)
        if kind != "train":
            shutil.copytree(run, path / "run")
    log = folder / "log"
    code, seconds = Command(arguments(kind, folders[0]), log).wait()
    if code:
        raise SystemExit(log.read_text())
    rng = random.Random(seed)
    results = [{"moment": None, "code": code, "left": contents(folders[0])}]
    for path in folders[1:]:
        moment = kill(kind, path, log, rng, seconds)
        code = ended(kind, path, log)
        results.append(
            {
                "moment": moment,
                "code": code,
                "said": log.read_text(),
                "left": contents(path),
            }
        )
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["train", "export", "report"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("moments", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--run", type=pathlib.Path)
    given = parser.parse_args()
    load_library()
    found = crash(
        given.kind, given.folder, given.run, given.moments, given.seed
    )
    sys.stdout.write(json.dumps(found) + "\n")
