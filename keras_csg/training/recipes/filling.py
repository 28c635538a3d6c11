"""Defaults that train well untouched, by backbone and by data set."""

from typing import Any

from keras_csg.backbones.registry import backbone_spec
from keras_csg.choices import HUB_PREFIX
from keras_csg.data import ClassificationData
from keras_csg.training.effects import check_filled_in
from keras_csg.training.options import TrainingOptions
from keras_csg.training.recipes.files import read_recipe

# Networks without batch normalisation, with attention, with SiLU throughout,
# with depthwise convolutions, and Inception, whose authors took RMSprop: plain
# momentum at the usual rate diverges or stalls on them (MobileNetV2 on digits:
# accuracy 0.21; so: 0.99).
# Each with AdamW's rate from random weights where images, and so steps, are
# few: with batch normalisation more than without, deep ones without any least.
# Where they are many, the usual rate at most.
ADAPTIVE = {
    "convnext": 1e-3,
    "cspdarknet": 3e-3,
    "deit": 1e-3,
    "efficientnet": 3e-3,
    "hgnet": 3e-3,
    "inception": 1e-3,
    "mit": 1e-3,
    "mobilenet": 3e-3,
    "nasnet": 3e-3,
    "swin": 1e-3,
    "vgg": 1e-4,
    "vit": 1e-3,
    "xception": 3e-3,
    "yolov8": 3e-3,
}
FEW_IMAGES = 32
"""Batch size of these where images are few: they need the more steps."""

OPTIMIZERS = {
    name: {"optimizer": name, "learning_rate": rate, "weight_decay": decay}
    for name, rate, decay in (
        ("sgd", 0.1, 5e-3),
        ("adam", 1e-3, 0.0),
        ("adamw", 1e-3, 0.05),
        ("rmsprop", 1e-3, 0.0),
    )
}


def with_recipe(given: dict[str, Any]) -> dict[str, Any]:
    """Adds the options of the recipe that `given["recipe"]` names.

    What is given wins. A rate of the recipe is for its optimizer and its batch
    size: with another optimizer, or a backbone that needs one, it is left to
    `fill_in`; with another batch size it follows that, under gradient descent.

    Args:
        given: options by name. Without `"recipe"` they come back as they are.

    Returns:
        dict of options by name.

    Raises:
        ValueError: if there is no such recipe, an option that it cannot
            answer for is missing, or what is given is wrong.
    """
    if given.get("recipe") is None:
        return given
    # Refuses what is no value of an option.
    weights = TrainingOptions.from_dict(given).weights
    if weights is not None:  # A backbone may bring its own.
        given = {**given, "weights": weights}
    recipe = read_recipe(given["recipe"])
    missing = [name for name in recipe.needs if given.get(name) is None]
    if missing:
        raise ValueError(
            f"The recipe {recipe.name!r} needs "
            f"{' and '.join(f'`{name}`' for name in missing)}, too."
        )
    options = dict(recipe.options)
    own = options["optimizer"]
    wanted = given.get("optimizer") or own
    backbone = given.get("backbone")
    if wanted != own or (
        backbone and own == "sgd" and _adaptive_rate(backbone)
    ):
        for name in ("optimizer", "learning_rate", "weight_decay"):
            del options[name]
    else:
        _follow_batch(options, given.get("batch_size"))
    return {**options, **given}


def fill_in(
    options: TrainingOptions, data: ClassificationData
) -> TrainingOptions:
    """Returns the options with every `None` a recipe answers for replaced.

    Of data as those of a recipe its options are taken, and changed by what the
    backbone and the weights ask for.

    Args:
        options: `TrainingOptions`.
        data: the loaded `ClassificationData`.

    Raises:
        ValueError: if a warm-up is as long as the epochs of the recipe.
    """
    name = _recipe_by_data(data)
    recipe = dict(read_recipe(name).options)
    recipe["augment"] = "crop_flip" if data.allow_flip else "crop"
    rate = _adaptive_rate(options.backbone)
    if rate is not None:
        recipe.update(OPTIMIZERS["adamw"])
        if name == "digits" and options.optimizer != "sgd":
            recipe["batch_size"] = FEW_IMAGES
    if options.pretrained:
        recipe.update(_fine_tuning(recipe, data))
    if options.optimizer not in (None, recipe["optimizer"]):
        recipe.update(OPTIMIZERS[options.optimizer])
    if rate is not None:
        times = rate / OPTIMIZERS["adamw"]["learning_rate"]
        more = name == "digits" and not options.pretrained
        more = more and recipe["optimizer"] == "adamw"
        recipe["learning_rate"] *= times if more else min(times, 1)
    _follow_batch(recipe, options.batch_size)
    if options.pretrained:
        if recipe["optimizer"] == "sgd":
            recipe["learning_rate"] /= 10
        # Whatever rate is asked for all: here nothing can be spoilt.
        recipe["head_learning_rate"] = recipe["learning_rate"]
    recipe = {
        "gate_warmup": 3 if options.gate_schedule == "alternating" else 0,
        "backbone_rate": 1.0,
        "head_epochs": 0,
        **recipe,
    }
    unanswered = {
        name: value
        for name, value in recipe.items()
        if getattr(options, name) is None
    }
    filled = options.replace(**unanswered)
    check_filled_in(options, filled)
    return filled


def _follow_batch(recipe, batch_size):
    """Changes the rate of gradient descent as another batch size asks for.

    Goyal et al., 2017: as many times the rate as the batch is larger.
    """
    if recipe["optimizer"] == "sgd" and batch_size is not None:
        recipe["learning_rate"] *= batch_size / recipe["batch_size"]


def _recipe_by_data(data):
    examples = data.train.num_examples
    if data.small_images:
        return "digits" if examples < 10_000 else "cifar10"
    return "photographs" if examples < 100_000 else "imagenet"


def _fine_tuning(recipe, data):
    """Returns what weights change; as large a batch as without them."""
    tuning = dict(read_recipe("fine-tune").options)
    del tuning["batch_size"]
    zoom = tuning.pop("augment").removeprefix("crop_flip")
    if not data.small_images:
        tuning["augment"] = recipe["augment"] + zoom
    return tuning


def _adaptive_rate(backbone):
    """Returns the rate of AdamW for a backbone that needs it, or `None`."""
    if backbone.startswith(HUB_PREFIX):  # A preset may be called anything.
        backbone = backbone_spec(backbone).family
    name = backbone.lower().replace("_", "").replace("-", "")
    rates = (r for start, r in ADAPTIVE.items() if name.startswith(start))
    return next(rates, None)
