"""Defaults that train well untouched, by backbone and by data set."""

from keras_csg.data import ClassificationData
from keras_csg.training.options import TrainingOptions

# Networks without batch normalisation, with attention or with SiLU throughout:
# gradient descent with momentum at the usual rate diverges or stalls on them.
ADAPTIVE = (
    "convnext",
    "cspdarknet",
    "efficientnet",
    "mit",
    "mobilenetv3",
    "nasnet",
    "vgg",
    "vit",
    "yolov8",
)
# Deep without normalisation: even adaptive steps have to be smaller.
GENTLE = ("vgg",)

OPTIMIZERS = {
    name: {"optimizer": name, "learning_rate": rate, "weight_decay": decay}
    for name, rate, decay in (
        ("sgd", 0.1, 5e-3),
        ("adam", 1e-3, 0.0),
        ("adamw", 1e-3, 0.05),
        ("rmsprop", 1e-3, 0.0),
    )
}


# Head first, then all.
PRETRAINED = {"epochs": 10, "head_epochs": 20, "lr_warmup": 1}


def fill_in(
    options: TrainingOptions, data: ClassificationData
) -> TrainingOptions:
    """Returns the options with every `None` the recipe answers for replaced.

    Args:
        options: `TrainingOptions`.
        data: the loaded `ClassificationData`.
    """
    recipe = _by_data(data)
    recipe.update(_by_backbone(options.backbone))
    if options.weights is not None:
        recipe.update(OPTIMIZERS["adamw"])
    if options.optimizer not in (None, recipe["optimizer"]):
        recipe.update(OPTIMIZERS[options.optimizer])
    if _plain_name(options.backbone).startswith(GENTLE):
        recipe["learning_rate"] /= 10
    if recipe["optimizer"] == "sgd" and options.batch_size is not None:
        # Goyal et al., 2017: as many times the rate as the batch is larger.
        recipe["learning_rate"] *= options.batch_size / recipe["batch_size"]
    recipe.update(backbone_rate=1.0, head_epochs=0)
    if options.weights is not None:
        recipe.update(PRETRAINED)
        if not data.small_images:  # Their objects are known already.
            recipe["augment"] += ":0.6"
        if recipe["optimizer"] == "sgd":
            recipe["learning_rate"] /= 10
        # Whatever rate is asked for all: here nothing can be spoilt.
        recipe["head_learning_rate"] = recipe["learning_rate"]
    if options.gate_schedule == "alternating":
        recipe["gate_warmup"] = 3
    unanswered = {
        name: value
        for name, value in recipe.items()
        if getattr(options, name) is None
    }
    return options.replace(**unanswered)


def _by_data(data):
    # Keras's weight decay is decoupled: it does not build up with momentum,
    # so 5e-3 at momentum 0.9 does what 5e-4 does as part of the gradient.
    recipe = {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "weight_decay": 5e-3,
        "lr_warmup": 1,
        "gate_warmup": 0,
        "augment": "crop_flip" if data.allow_flip else "crop",
    }
    examples = data.train.num_examples
    if data.small_images and examples < 10_000:
        return {**recipe, "epochs": 20, "batch_size": 64}
    if data.small_images:
        return {**recipe, "epochs": 60, "batch_size": 128}
    recipe = {**recipe, "learning_rate": 0.025, "batch_size": 32}
    if examples < 100_000:
        return {**recipe, "epochs": 60, "lr_warmup": 3}
    return {**recipe, "epochs": 90, "weight_decay": 1e-3}


def _by_backbone(name):
    if _plain_name(name).startswith(ADAPTIVE):
        return OPTIMIZERS["adamw"]
    return {}


def _plain_name(name):
    return name.lower().replace("_", "").replace("-", "")
