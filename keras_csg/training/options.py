"""What a training run can be asked for; plain Python, quick to import."""

import dataclasses
import os
from typing import Any

import keras_csg.choices as choices
from keras_csg.arguments import height_and_width
from keras_csg.printable import did_you_mean
from keras_csg.training.option_values import check_range, fits, plain, readable

CHOICES = {
    "gate_schedule": choices.GATE_SCHEDULES,
    "batch_statistics": choices.BATCH_STATISTICS,
    "optimizer": choices.OPTIMIZERS,
    "lr_schedule": choices.LR_SCHEDULES,
    "precision": choices.PRECISIONS,
    "device": choices.DEVICES,
    "jit_compile": choices.SWITCHES,
    "cache": choices.SWITCHES,
    "resize": choices.RESIZES,
    "sampling": choices.SAMPLINGS,
    "loggers": choices.LOGGERS,
}
PATHS = ("data", "data_dir", "labels", "weights", "init", "class_weights")
"""What may be given as any path; `config.json` has it as a str."""
# (least, largest, whether the least itself is allowed)
RANGES = {
    "validation_split": (0, 0.5, False),
    "filters": (1, None, True),
    "white_level": (1, 2**63 - 1, True),
    "max_pixels": (1, None, True),
    "gate_warmup": (0, None, True),
    "gate_period": (2, None, True),
    "lambda_1": (0, None, True),
    "lambda_2": (0, None, True),
    "lambda_3": (0, None, True),
    "lambda_4": (0, None, True),
    "lambda_5": (0, None, True),
    "lambda_6": (0, None, True),
    "filter_dropout": (0, 0.99, True),
    "density": (0, 1, False),
    "bn_momentum": (0, 0.9999, True),
    "epochs": (1, choices.MOST_EPOCHS, True),
    "patience": (1, None, True),
    "batch_size": (1, None, True),
    "learning_rate": (0, None, False),
    "backbone_rate": (0, None, True),
    "head_epochs": (0, choices.MOST_EPOCHS, True),
    "head_learning_rate": (0, None, False),
    "lr_warmup": (0, None, True),
    "weight_decay": (0, None, True),
    "momentum": (0, 1, True),
    "clip_norm": (0, None, False),
    "label_smoothing": (0, 0.99, True),
    "logit_adjustment": (0, None, False),
    "long_tail": (1, None, False),
    "ema": (0, 0.99999, False),
    "time_budget": (0, None, False),
    "steps_per_execution": (1, None, True),
    "seed": (0, 2**32 - 1, True),
}
# Options that mean nothing without `weights`, and why.
NEED_WEIGHTS = {
    "head_epochs": "trains on what a backbone with `weights` answers; random "
    "filters tell nothing",
    "head_learning_rate": "is that of `head_epochs`, which need `weights`",
    "freeze": "keeps what comes with `weights`; without them a part of the "
    "network would stay random",
}


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """Every option of a run. `None` leaves it to what fits backbone and data.

    `recipe` is the name of that whose options were taken: `with_recipe` does.

    The names are those of the command line with underscores, of `config.json`
    and of a configuration file.
    """

    recipe: str | None = None
    data: str = "digits"
    data_dir: str | None = None
    image_size: int | str | None = None
    validation_split: float = 0.1
    splits: str | None = None
    drop_duplicates: bool = False
    labels: str | None = None
    multi_label: bool = False
    classes: str | None = None
    rename_classes: str | None = None
    merge_classes: str | None = None
    hold_out_classes: str | list | tuple | None = None
    long_tail: float | None = None
    resize: str = "crop"
    background: str = "white"
    white_level: int | None = None
    max_pixels: int = choices.MOST_PIXELS
    cache: str = "auto"
    augment: str | None = None
    backbone: str = "resnet20"
    weights: str | None = None
    init: str | None = None
    freeze: int | str | None = None
    gate_at: str | None = None
    filters: int | None = None
    standard: bool = False
    gate_schedule: str = "joint"
    gate_warmup: int | None = None
    gate_period: int = 3
    lambda_1: float = 1.0
    lambda_2: float | None = None
    lambda_3: float = 1.0
    lambda_4: float = 0.3
    lambda_5: float = 1.0
    lambda_6: float = 0.0
    filter_dropout: float | None = None
    density: float | None = None
    batch_statistics: str = "fitted"
    bn_momentum: float | None = None
    epochs: int | None = None
    patience: int | None = None
    time_budget: float | None = None
    batch_size: int | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    backbone_rate: float | None = None
    head_epochs: int | None = None
    head_learning_rate: float | None = None
    lr_schedule: str = "cosine"
    lr_warmup: int | None = None
    weight_decay: float | None = None
    momentum: float = 0.9
    clip_norm: float | None = None
    ema: float | None = None
    label_smoothing: float = 0.0
    class_weights: str | dict | None = None
    sampling: str = "uniform"
    logit_adjustment: float | None = None
    precision: str = "auto"
    device: str = "auto"
    devices: int | str = 1
    jit_compile: str = "auto"
    steps_per_execution: int = 1
    trust_curve: bool = False
    seed: int = 0
    deterministic: bool = False
    loggers: str | list | tuple | None = None

    def __post_init__(self):
        for name in PATHS:
            value = getattr(self, name)
            if isinstance(value, os.PathLike):
                object.__setattr__(self, name, os.fspath(value))
        own = self.backbone.startswith(choices.HUB_PREFIX)
        if own and self.weights is None:
            object.__setattr__(self, "weights", choices.PRESET_WEIGHTS)
        for name, value in self.to_dict().items():
            if value == "":
                raise ValueError(
                    f"`{name}` must not be empty. Received: {name}=''"
                )
        held_out = choices.list_names(self.hold_out_classes)
        object.__setattr__(self, "hold_out_classes", held_out)
        loggers = choices.list_loggers(self.loggers)
        object.__setattr__(self, "loggers", loggers)
        for name, known in CHOICES.items():
            value = getattr(self, name)
            values = value if isinstance(value, tuple) else (value,)
            if value is not None and not all(v in known for v in values):
                raise ValueError(
                    f"`{name}` must be one of {', '.join(known)}. "
                    f"Received: {name}={value!r}"
                )
        height_and_width(self.image_size)
        choices.check_freeze(self.freeze)
        choices.check_devices(self.devices)
        for name, reason in NEED_WEIGHTS.items():
            value = getattr(self, name)
            if value not in (None, 0) and not self.pretrained:
                raise ValueError(
                    f"`{name}` {reason}. "
                    f"Received: {name}={value!r}, weights={self.weights!r}"
                )
        if self.ema is not None and self.lambda_2 is not None:
            raise ValueError(
                "`ema` averages what the optimizer moves, which with "
                "`lambda_2` is the gate, whose columns must reach 1: leave "
                f"one of them out. Received: ema={self.ema}"
            )
        self._check_several_classes()
        self._check_one_cure()
        for name, bounds in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                check_range(name, value, *bounds)

    def _check_several_classes(self):
        """Refuses what asks for the class of an image that has several."""
        asked = {
            "sampling": self.sampling == "balanced",
            "logit_adjustment": self.logit_adjustment is not None,
            "long_tail": self.long_tail is not None,
            "hold_out_classes": self.hold_out_classes is not None,
            "lambda_6": self.lambda_6 != 0,
        }
        for name, given in asked.items():
            if given and self.multi_label:
                raise ValueError(
                    f"`{name}` is for images of one class each: leave it out "
                    "with `multi_label`. "
                    f"Received: {name}={getattr(self, name)!r}"
                )

    def _check_one_cure(self):
        """Refuses what would make up for rare classes more than once."""
        cures = {
            "class_weights": self.class_weights == "balanced",
            "sampling": self.sampling == "balanced",
            "logit_adjustment": self.logit_adjustment is not None,
        }
        given = [f"`{name}`" for name, taken in cures.items() if taken]
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} each make up for rare classes, and "
                "together too much: leave one out."
            )

    @property
    def pretrained(self) -> bool:
        """Whether the backbone starts from weights that are not random."""
        return self.weights not in (None, choices.RANDOM_WEIGHTS)

    @property
    def reading(self) -> dict[str, Any]:
        """How image files become pixels: arguments of `load_data`."""
        names = ("resize", "background", "white_level", "max_pixels")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_dict(cls, values: dict) -> "TrainingOptions":
        """Returns the options in `values`.

        Raises:
            ValueError: for a key that is no option, with the nearest one, or a
                value of another type.
        """
        types = {field.name: field.type for field in dataclasses.fields(cls)}
        values = {name: plain(value) for name, value in values.items()}
        for name, value in values.items():
            if name not in types:
                raise ValueError(
                    f"Unknown option {name!r}"
                    + did_you_mean(name, types).rstrip()
                )
            path = name in PATHS and isinstance(value, os.PathLike)
            if not path and not fits(value, types[name]):
                raise ValueError(
                    f"`{name}` must be of type {readable(types[name])}. "
                    f"Received: {name}={value!r}"
                )
        return cls(**values)

    def replace(self, **changes: Any) -> "TrainingOptions":
        """Returns the options with some changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict:
        """Returns the options as a plain dict."""
        return dataclasses.asdict(self)


def switched(choice: str) -> bool | str:
    """Returns what one of `keras_csg.choices.SWITCHES` is in Python.

    `True`, `False`, or `"auto"`, as Keras and `load_data` take it.
    """
    return {"on": True, "off": False}.get(choice, choice)
