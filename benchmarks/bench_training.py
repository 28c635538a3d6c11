"""Training steps of keras_csg beside the same networks in plain Keras.

    python benchmarks/bench_training.py             # three networks, 5 minutes
    python benchmarks/bench_training.py --families  # all, half an hour

Ours is a gated classifier with all it reports; plain Keras is the backbone,
average pooling and a dense layer, trained in float32 and in mixed_bfloat16.
Each network is trained on one constant batch, so input does not count.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
from alternation import ratio_text, take_turns
from training_step import bare_step, our_model, plain_model, random_batch

from keras_csg.training.precision import choose_precision

# (backbone, side of the images, batch size)
NETWORKS = [
    ("resnet20", 32, 128),
    ("resnet50", 96, 32),
    ("mobilenetv2", 96, 32),
]
FAMILIES = [
    ("resnet20", 32, 128),
    ("resnet18", 64, 32),
    ("resnet50", 64, 32),
    ("resnet50v2", 64, 32),
    ("vgg16", 64, 16),
    ("densenet121", 64, 16),
    ("mobilenet", 64, 32),
    ("mobilenetv2", 64, 32),
    ("mobilenetv3small", 64, 32),
    ("efficientnetb0", 64, 32),
    ("efficientnetv2b0", 64, 32),
    ("efficientnetliteb0", 64, 32),
    ("convnexttiny", 64, 16),
    ("cspdarknettiny", 64, 32),
    ("yolov8xs", 64, 32),
    ("mitb0", 64, 16),
    ("inceptionv3", 96, 16),
    ("xception", 96, 16),
    ("nasnetmobile", 64, 16),
    ("inceptionresnetv2", 96, 8),
]
POLICIES = ("float32", "mixed_bfloat16")
CLASSES = 10


def compare(backbone, size, batch_size, blocks, seconds):
    batch = random_batch(size, batch_size, CLASSES)
    sides = {}
    for policy in POLICIES:
        for name, create in (("plain", plain_model), ("ours", our_model)):
            model = create(backbone, size, CLASSES, policy)
            sides[name, policy] = bare_step(model, batch)
    taken = take_turns(sides, blocks, seconds)
    keras.config.set_dtype_policy("float32")
    chosen = choose_precision(backbone)
    ours = taken["ours", chosen]
    speeds = [batch_size / np.median(times) for times in taken.values()]
    plain = [ratio_text(taken["plain", policy], ours) for policy in POLICIES]
    print(
        f"{backbone:18} {size:4} {batch_size:4} "
        + " ".join(f"{speed:7.1f}" for speed in speeds)
        + f"  {chosen.removeprefix('mixed_'):9} {plain[0]:20}  {plain[1]}",
        flush=True,
    )


@click.command()
@click.option("--families", is_flag=True, help="One network of each family.")
@click.option("--backbone", multiple=True, help="Only these.")
@click.option("--blocks", default=8, show_default=True)
@click.option("--seconds", default=1.0, show_default=True, help="A block.")
def main(families, backbone, blocks, seconds):
    """Compare training steps with plain Keras."""
    print("images/s: plain and ours in float32, plain and ours in bfloat16;")
    print("what `--precision auto` takes; times as fast as plain float32 and")
    print("as plain bfloat16, median (quartiles)")
    for name, size, batch_size in FAMILIES if families else NETWORKS:
        if not backbone or name in backbone:
            compare(name, size, batch_size, blocks, seconds)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
