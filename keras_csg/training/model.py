"""The classifier of a run, and what is said of it before it trains."""

import pathlib

import keras

from keras_csg.data import ClassificationData
from keras_csg.layers.batch_statistics import layers_with_statistics
from keras_csg.models import schedules
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.gate_lines import scarce_filters
from keras_csg.models.losses import LogitCrossentropy
from keras_csg.models.multi_label_losses import LogitBinaryCrossentropy
from keras_csg.training.class_weights import logit_offsets
from keras_csg.training.optimizers import create_optimizer
from keras_csg.training.options import TrainingOptions, switched


def create_model(
    options: TrainingOptions,
    data: ClassificationData,
    backbone: keras.Model,
    steps_per_epoch: int,
) -> CSGClassifier:
    """Builds and compiles the classifier that a run's options describe.

    Args:
        options: `TrainingOptions` without a `None` that matters here.
        data: `ClassificationData`.
        backbone: `keras.Model`, as of `build_backbone`.
        steps_per_epoch: int. Steps that the optimizer takes in an epoch.

    Raises:
        ValueError: if `bn_momentum` is given and there is nothing that has it.
    """
    model = CSGClassifier(
        backbone,
        data.num_classes,
        gated=not options.standard,
        multi_label=options.multi_label,
        lambda_1=options.lambda_1,
        lambda_2=options.lambda_2,
        lambda_3=options.lambda_3,
        lambda_4=options.lambda_4,
        lambda_5=options.lambda_5,
        lambda_6=options.lambda_6,
        filter_dropout=options.filter_dropout,
        density=options.density,
        backbone_rate=_rate(options),
        schedule=gate_schedule(options),
        batch_statistics=options.batch_statistics,
        class_names=data.class_names,
        image_reading=data.reading.to_dict(),
    )
    if options.bn_momentum is not None:
        _set_momentum(model, options)
    model.compile(
        create_optimizer(options, steps_per_epoch),
        loss=_loss(options, data),
        jit_compile=switched(options.jit_compile),
        steps_per_execution=min(options.steps_per_execution, steps_per_epoch),
    )
    return model


def _loss(options, data):
    smoothing = options.label_smoothing
    if options.multi_label:
        return LogitBinaryCrossentropy(label_smoothing=smoothing)
    return LogitCrossentropy(
        label_smoothing=smoothing,
        offsets=logit_offsets(options.logit_adjustment, data),
    )


def _set_momentum(model, options):
    layers = layers_with_statistics(model)
    if not layers:
        raise ValueError(
            f"`bn_momentum` has no effect: {options.backbone} has no batch "
            "normalization whose statistics move. "
            f"Received: bn_momentum={options.bn_momentum}"
        )
    for layer in layers:
        layer.momentum = options.bn_momentum


def gate_schedule(options: TrainingOptions) -> schedules.Schedule:
    """Returns the schedule object that the options describe."""
    if options.gate_schedule == "alternating":
        return schedules.AlternatingSchedule(
            options.gate_warmup or 0, options.gate_period
        )
    return schedules.JointSchedule(options.gate_warmup or 0)


def describe(
    options: TrainingOptions,
    data: ClassificationData,
    model: CSGClassifier,
    path: pathlib.Path,
) -> list[str]:
    """Returns what is trained on what, and where it goes, as lines.

    Args:
        options: `TrainingOptions`.
        data: `ClassificationData`.
        model: `CSGClassifier`.
        path: of the run directory.
    """
    return [
        *_of_data(data),
        f"{options.backbone}: {model.count_params():,} weights, "
        f"{model.filters} filters, {_gate(options)} gate; {options.optimizer}, "
        f"learning rate {options.learning_rate:g}{_of_backbone(options)}, "
        f"batch {options.batch_size}, {options.precision}",
        *_scarce(model),
        f"Run directory: {path}",
    ]


def _of_data(data):
    splits = (data.train, data.validation, data.test)
    yield (
        f"{data.name}: {data.num_classes} classes"
        f"{', several an image' * data.multi_label}, images "
        f"{'x'.join(map(str, data.image_shape))}, "
        "{:,} train, {:,} validation, {:,} test".format(
            *(split.num_examples for split in splits)
        )
    )
    if data.skipped:
        yield f"Skipped {len(data.skipped)} broken files."


def _gate(options):
    return "no" if options.standard else options.gate_schedule


def _rate(options):
    return 1.0 if options.backbone_rate is None else options.backbone_rate


def _of_backbone(options):
    rate = _rate(options)
    return "" if rate == 1 else f" (of the backbone {rate:g} times that)"


def _scarce(model):
    if model.gated and (line := scarce_filters(model)):
        yield line
