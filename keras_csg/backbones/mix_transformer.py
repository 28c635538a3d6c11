import functools
from collections.abc import Sequence

import keras
from keras import layers

from keras_csg.backbones.registry import register_backbone
from keras_csg.layers.image_normalization import normalize_images

HEADS = (1, 2, 5, 8)
REDUCTIONS = (8, 4, 2, 1)


def build_features(
    images: keras.KerasTensor,
    weights: None = None,
    *,
    depths: Sequence[int],
    widths: Sequence[int],
    drop_rate: float = 0.1,
) -> keras.KerasTensor:
    """Returns the feature map of a Mix Transformer, SegFormer's encoder.

    The size of keras-cv's `MiTBackbone`, but put together from layers of
    Keras. keras-cv's own cannot be read back from a saved graph, since their
    `get_config` leaves arguments out; they take square images only, and reshape
    `(channels, positions)` as if it were a map before they reduce it.

    Args:
        images: Keras tensor of shape `(batch, height, width, 3)`, in 0..255,
            height and width known.
        weights: `None`.
        depths: sequence of four ints. Number of blocks in each stage.
        widths: sequence of four ints. Number of filters in each stage.
        drop_rate: float. Share of samples for which the last block is skipped
            in training; it rises linearly from 0 at the first block.

    Returns:
        Keras tensor of shape `(batch, ceil(height / 32), ceil(width / 32),
        widths[-1])`.

    Reference:
        - [Xie et al., 2021](https://arxiv.org/abs/2105.15203)
    """
    x = normalize_images(images, "torch")
    block = 0
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        x = _embed_patches(x, width, stage)
        for index in range(depth):
            rate = drop_rate * block / (sum(depths) - 1)
            x = _block(x, stage, rate, f"stage{stage + 1}_block{index + 1}")
            block += 1
        x = layers.LayerNormalization(name=f"stage{stage + 1}_norm")(x)
    return x


@keras.saving.register_keras_serializable(package="keras_csg")
def gelu(x: keras.KerasTensor) -> keras.KerasTensor:
    """Returns GELU by its tanh form; the exact form breaks ONNX export."""
    return keras.activations.gelu(x, approximate=True)


def _embed_patches(x, width, stage):
    name = f"stage{stage + 1}_patches"
    x = layers.Conv2D(
        width,
        7 if stage == 0 else 3,
        strides=4 if stage == 0 else 2,
        padding="same",
        name=name,
    )(x)
    return layers.LayerNormalization(name=f"{name}_norm")(x)


def _block(x, stage, rate, name):
    attended = _attention(_norm(x, f"{name}_norm1"), stage, f"{name}_attention")
    x = _add(x, attended, rate, f"{name}_add1")
    mixed = _mix(_norm(x, f"{name}_norm2"), f"{name}_mlp")
    return _add(x, mixed, rate, f"{name}_add2")


def _norm(x, name):
    return layers.LayerNormalization(epsilon=1e-6, name=name)(x)


def _attention(x, stage, name):
    """Attention of every position to a map reduced in size."""
    _, rows, columns, width = x.shape
    keys = x
    if REDUCTIONS[stage] > 1:
        keys = layers.Conv2D(
            width,
            REDUCTIONS[stage],
            strides=REDUCTIONS[stage],
            padding="same",
            name=f"{name}_reduce",
        )(x)
        keys = layers.LayerNormalization(name=f"{name}_reduce_norm")(keys)
    queries = layers.Reshape((-1, width), name=f"{name}_queries")(x)
    keys = layers.Reshape((-1, width), name=f"{name}_keys")(keys)
    attended = layers.MultiHeadAttention(
        HEADS[stage], width // HEADS[stage], name=name
    )(queries, keys)
    return layers.Reshape((rows, columns, width), name=f"{name}_map")(attended)


def _mix(x, name):
    width = x.shape[-1]
    x = layers.Dense(4 * width, name=f"{name}_expand")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_mix")(x)
    x = layers.Activation(gelu, name=f"{name}_gelu")(x)
    return layers.Dense(width, name=f"{name}_project")(x)


def _add(x, branch, rate, name):
    if rate:
        # One draw for a whole sample: stochastic depth.
        branch = layers.Dropout(
            rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop"
        )(branch)
    return layers.Add(name=name)([x, branch])


_WIDE = (64, 128, 320, 512)
for _name, _depths, _widths in (
    ("b0", (2, 2, 2, 2), (32, 64, 160, 256)),
    ("b1", (2, 2, 2, 2), _WIDE),
    ("b2", (3, 4, 6, 3), _WIDE),
    ("b3", (3, 4, 18, 3), _WIDE),
    ("b4", (3, 8, 27, 3), _WIDE),
    ("b5", (3, 6, 40, 3), _WIDE),
):
    register_backbone(
        f"mit{_name}",
        family="MiT",
        default_size=224,
        min_size=32,
        static_shape=True,
    )(functools.partial(build_features, depths=_depths, widths=_widths))
