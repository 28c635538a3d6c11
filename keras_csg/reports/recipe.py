"""What a run was trained with, as words and as the command that repeats it."""

import dataclasses
import os
import shlex
from typing import Any

from keras_csg.reports.gathering import About
from keras_csg.training.options import PATHS, TrainingOptions

# Of this machine or this training, not of what comes out of it.
LEFT_OUT = ("recipe", "data_dir", "loggers", "device", "cache")


def command_of(options: TrainingOptions) -> str:
    """Returns the command that trains a run again.

    Paths of the machine that trained stand there by their last part alone.

    Args:
        options: `TrainingOptions`.
    """
    words = ["keras-csg", "train"]
    plain = TrainingOptions()
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name in LEFT_OUT or value == getattr(plain, field.name):
            continue
        option = "--" + field.name.replace("_", "-")
        if isinstance(value, bool):
            words += [option] if value else []
            continue
        text = (
            ",".join(value) if isinstance(value, tuple | list) else str(value)
        )
        words += [option, here(text) if field.name in PATHS else text]
    return shlex.join(words)


def here(path: str) -> str:
    """Returns the last part of an absolute path; other names as they are."""
    absolute = os.path.isabs(path) or path.startswith("~")
    return os.path.basename(path.rstrip("/")) or path if absolute else path


def training_facts(about: About) -> dict[str, str]:
    """Returns what a network was trained on and how, in words.

    Args:
        about: `About`.
    """
    options, images = about.options, about.images
    height, width, _ = about.image_shape
    facts: dict[str, Any] = {
        "Data": here(options.data),
        "Classes": f"{len(about.class_names):,}"
        + (", several an image" if about.multi_label else ", one an image"),
        "Images": f"{images['train']:,} trained on, {images['validation']:,} "
        f"held out to watch it, {images['test']:,} to test it",
        "Image size": f"{width} × {height} pixels",
        "Network": options.backbone,
        "Started from": here(options.weights)
        if options.weights
        else "random weights",
        "Kind": "class-specific gate" if about.gated else "standard, no gate",
        "Augmentation": options.augment,
        "Epochs": _epochs(options, about.history),
        "Optimizer": _optimizer(options),
        "Images a step": options.batch_size,
        "Seed": options.seed,
    }
    return {k: str(v) for k, v in facts.items() if v not in (None, "")}


def _epochs(options, history):
    done = len(history.get("epoch", ()))
    asked = options.epochs
    if done and asked and done < asked:
        return f"{done} of {asked}"
    return asked or done or None


def _optimizer(options):
    if options.optimizer is None:
        return None
    rate = options.learning_rate
    return options.optimizer + (f", learning rate {rate:g}" if rate else "")
