"""The backbone of a run, with weights that were trained elsewhere."""

import keras

from keras_csg.arguments import height_and_width
from keras_csg.backbones.registry import backbone_spec
from keras_csg.backbones.weights import WeightsReport, means_a_file
from keras_csg.choices import HUB_PREFIX, PRESET_WEIGHTS, RANDOM_WEIGHTS
from keras_csg.models.build import build_backbone
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.gate_lines import resting_filters
from keras_csg.models.schedules import weights_at
from keras_csg.training.limits import check_sides
from keras_csg.training.options import TrainingOptions


def build_pretrained(
    options: TrainingOptions, restored: bool
) -> tuple[TrainingOptions, keras.Model | None, WeightsReport | None]:
    """Builds the backbone of a run with `weights`, before data are read.

    Not where they are random and no preset's: then the data say how large the
    images are, as without the option.

    Args:
        options: `TrainingOptions`.
        restored: bool. Whether a backup will replace all weights: then a file
            of weights is not looked at, so that it may be gone.

    Returns:
        A tuple of the options, with the size of the images (the backbone's own
        where none is asked for) and an absolute path; the backbone, `None`
        where the data are needed first; and `WeightsReport`, `None` where no
        file was looked at.

    Raises:
        ValueError: if the weights cannot be read or are not the backbone's.
        OSError: if they cannot be downloaded.
    """
    preset = options.backbone.startswith(HUB_PREFIX)
    if not (preset or options.pretrained):
        return options, None, None
    spec = backbone_spec(options.backbone)
    size = options.image_size or spec.default_size
    options = options.replace(image_size=size)
    if preset:
        options = options.replace(backbone=spec.name)  # An absolute path.
    shape = (*(height_and_width(size) or ()), 3)
    own = options.weights == PRESET_WEIGHTS
    if restored and (own or means_a_file(options.weights)):
        backbone, _ = build_for(options, shape, weights=RANDOM_WEIGHTS)
        return options, backbone, None
    backbone, report = build_for(options, shape, weights=options.weights)
    if report is not None:
        options = options.replace(weights=report.source)
    return options, backbone, report


def build_for(
    options: TrainingOptions,
    image_shape: tuple[int, ...],
    weights: str | None,
) -> tuple[keras.Model, WeightsReport | None]:
    """Builds the backbone that a run's options name.

    Args:
        options: `TrainingOptions`.
        image_shape: tuple `(height, width, 3)`.
        weights: what to start from, if not at random.

    Returns:
        What `build_backbone` returns.

    Raises:
        ValueError: as `build_backbone`.
        OSError: as `build_backbone`.
    """
    check_sides(options.backbone, image_shape[:2])
    return build_backbone(
        options.backbone,
        weights=weights,
        input_shape=image_shape,
        gate_at=options.gate_at,
        filters=options.filters,
        freeze=options.freeze,
    )


def notes_on(
    options: TrainingOptions,
    model: CSGClassifier,
    report: WeightsReport | None,
) -> list[str]:
    """Returns what a user should know before a training starts, as lines.

    Args:
        options: `TrainingOptions`.
        model: `CSGClassifier`.
        report: `WeightsReport` of its backbone's weights, if any.
    """
    notes = [] if report is None else [str(report)]
    if not model.gated:
        return notes
    if line := resting_filters(model):
        notes.append(line)
    epochs = range(options.epochs or 0)
    if not any(weights_at(model.schedule, epoch).gated for epoch in epochs):
        notes.append(
            f"In {options.epochs} epochs the gated path never trains, so the "
            "gate stays open: it needs more `epochs` or a smaller "
            f"`gate_warmup`, here {options.gate_warmup}."
        )
    return notes
