"""Commands in folders of another user; prints what they say.

A process of its own, which may do what that user lets it do and no more.
"""

import json
import os
import pathlib
import sys

from tests.cli.called import call

TRAIN = ["train", "--data", "digits", "--image-size", "8", "--epochs", "1"]


def commands(folder):
    """Returns command lines by name, and the place that each has to name."""
    run, shut, picture = (folder / n for n in ("run", "shut", "a.png"))
    read, sealed = folder / "read", folder / "sealed"
    onnx = ["--format", "onnx"]
    return {
        "train": ([*TRAIN, "--out", read / "new"], read / "new"),
        "train in shut": ([*TRAIN, "--out", shut / "new"], shut / "new"),
        "train in theirs": ([*TRAIN, "--out", read], read),
        "resume": (["train", "--resume", "--out", folder / "stopped"], None),
        "resume sealed": (["train", "--resume", "--out", sealed], sealed),
        "more epochs": (
            ["train", "--resume", "--epochs", "9", "--out", run],
            run,
        ),
        "config": ([*TRAIN, "--config", sealed / "config.json"], sealed),
        "export": (["export", run, *onnx], run / "export"),
        "export out": (["export", run, "--out", read / "x", *onnx], read / "x"),
        "export in shut": (
            ["export", run, "--out", shut / "x", *onnx],
            shut / "x",
        ),
        "export sealed": (["export", sealed], sealed),
        "explain": (
            ["explain", run, picture, "--out", read / "x"],
            read / "x",
        ),
        "explain in shut": (
            ["explain", run, picture, "--out", shut / "x"],
            shut / "x",
        ),
        "explain sealed": (["explain", sealed, picture], sealed),
        "report": (["report", run, "--out", read / "p.html"], read / "p.html"),
        "report in shut": (
            ["report", run, "--out", shut / "p.html"],
            shut / "p.html",
        ),
        "report sealed": (["report", sealed], sealed),
        "evaluate": (["evaluate", run], run),
        "predict": (["predict", run, folder / "sealed.png"], "sealed.png"),
        "predict out": (
            ["predict", run, picture, "--out", read / "x.csv"],
            read / "x.csv",
        ),
        "edit": (
            ["edit", run, "--remove-filters", "1", "--out", read / "x"],
            read / "x",
        ),
    }


if __name__ == "__main__":
    place = pathlib.Path(sys.argv[1])
    os.chdir(place / "home")
    results = {}
    for name, (given, named) in commands(place).items():
        code, said = call(*given)
        results[name] = {"code": code, "said": said, "named": str(named or "")}
    sys.stdout.write(json.dumps(results) + "\n")
