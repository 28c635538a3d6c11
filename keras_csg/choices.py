"""What can be chosen from, as plain names: costs nothing to import.

The command line offers these, and the library refuses everything else.
"""

from numbers import Integral

# Exported files.
FORMATS = ("saved_model", "onnx", "litert", "openvino", "coreml")
QUANTIZATIONS = ("float16", "dynamic", "int8")
# What each format can be quantised to; those that are not here to nothing.
QUANTIZATIONS_OF = {
    "onnx": ("float16", "int8"),
    "litert": ("float16", "dynamic", "int8"),
    "openvino": ("float16", "int8"),
    "coreml": ("float16",),
}
# What stands for all formats, or all quantisations, that there are.
ALL = "all"
INPUT_DTYPES = ("float32", "uint8")
# The layout of a server, or of a page, and the formats it can hold, the usual
# one first.
LAYOUTS = {
    "triton": ("onnx", "saved_model"),
    "tfserving": ("saved_model",),
    "web": ("onnx",),
}

# Data.
SPLITS = ("train", "validation", "test")

# Evaluation.
MIS_VARIANTS = ("paper", "picnn")

# Attacks: by the gradient, of the package itself; and of the library that its
# extra `attacks` brings.
OWN_ATTACKS = ("fgsm", "pgd")
LIBRARY_ATTACKS = ("apgd", "square", "deepfool", "cw")
ATTACKS = OWN_ATTACKS + LIBRARY_ATTACKS
# Those that keep within a distance; the others look for the least one.
BOUNDED_ATTACKS = (*OWN_ATTACKS, "apgd", "square")
NORMS = ("linf", "l2")
HEADS = ("standard", "class_specific")
MADE_UP = ("noise", "colours", "textures", "shapes", "patches")
CORRUPTIONS = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "gaussian_blur",
    "defocus_blur",
    "brightness",
    "contrast",
    "fog",
    "jpeg",
    "pixelate",
)

# Runs.
# What stands before the name of weights that come with the package, wherever
# the path of a run may stand.
WEIGHTS_PREFIX = "weights:"
# What stands before a preset of KerasHub where the name of a backbone may
# stand; the name of the preset's own weights, and that of none at all.
HUB_PREFIX = "hub:"
PRESET_WEIGHTS = "preset"
RANDOM_WEIGHTS = "random"

# Training.
# What of a backbone may rest, beside a number of layers.
FREEZE = ("all", "statistics")
AUGMENTATIONS = (
    "none",
    "crop",
    "flip",
    "crop_flip",
    "rand_augment",
    "random_erasing",
    "mixup",
    "cutmix",
)
GATE_SCHEDULES = ("joint", "alternating")
BATCH_STATISTICS = ("fitted", "running")
OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
LR_SCHEDULES = ("cosine", "step", "constant")
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
DEVICES = ("auto", "cpu", "gpu")
# Where figures go while a network trains, beside the run's own files.
LOGGERS = ("none", "tensorboard", "mlflow", "wandb")
# Of the machine, not of the run: may change where a run is gone on with.
OF_THE_MACHINE = ("device", "devices", "cache", "data_dir", "loggers")
MOST_EPOCHS = 10**6
MOST_PIXELS = 178_956_970
"""Pixels above which a file is not decoded, unless somebody says otherwise: as
many as Pillow takes, or 0.7 to 1.5 GB of memory while it is decoded."""
SAMPLINGS = ("uniform", "balanced")
RESIZES = ("crop", "pad", "squash")
SWITCHES = ("auto", "on", "off")


BACKENDS = ("tensorflow", "jax", "torch")
"""Backends of Keras that networks train on."""


def list_loggers(loggers: str | list | tuple | None) -> tuple | None:
    """Returns the names of loggers, each once; `None` stays.

    Args:
        loggers: str of names between commas, or a list of them.

    Raises:
        ValueError: if `"none"` is not alone.
    """
    if loggers is None:
        return None
    names = loggers.split(",") if isinstance(loggers, str) else loggers
    several = tuple(dict.fromkeys(str(name).strip() for name in names))
    if "none" in several and len(several) > 1:
        raise ValueError(
            "`loggers` must be none or some others. "
            f"Received: loggers={','.join(several)}"
        )
    return several or ("none",)


def list_names(names: str | list | tuple | None) -> tuple | None:
    """Returns names between commas, or of a list; `None` stays."""
    if names is None:
        return None
    parts = names.split(",") if isinstance(names, str) else names
    return tuple(str(name).strip() for name in parts)


def is_address(text: str) -> bool:
    """Whether a text is `HOST:PORT`."""
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536


def check_devices(devices: int | str) -> None:
    """Checks a number of devices to train on.

    Raises:
        ValueError: if it is neither a number above 0 nor `"auto"`.
    """
    number = isinstance(devices, Integral) and not isinstance(devices, bool)
    if devices != "auto" and (not number or int(devices) < 1):
        raise ValueError(
            "`devices` must be auto or a number above 0. "
            f"Received: devices={devices!r}"
        )


DRAWN_BY = "keras-csg"
"""What a picture says of itself that this package drew over an image."""


def check_freeze(freeze: int | str | None) -> None:
    """Checks what can be checked without a backbone.

    Raises:
        ValueError: if it is no number above 0 and none of
            `FREEZE`.
    """
    if freeze is None or freeze in FREEZE:
        return
    number = isinstance(freeze, Integral) and not isinstance(freeze, bool)
    if not number or int(freeze) < 1:
        raise ValueError(
            f"`freeze` must be {', '.join(FREEZE)} or a number of layers, "
            f"at least 1. Received: freeze={freeze!r}"
        )
