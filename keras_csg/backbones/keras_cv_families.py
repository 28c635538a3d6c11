"""Networks that keras-cv has and `keras.applications` lacks."""

import functools
from typing import Any

import keras

from keras_csg.backbones.flattening import flat_features
from keras_csg.backbones.registry import register_backbone
from keras_csg.layers.image_normalization import ImageNormalization

# The alias classes of keras-cv fetch these figures from the network, even
# without weights; so they are written down here, and a test holds the number
# of parameters against the one that keras-cv publishes.
_RESNET = {
    "stackwise_filters": [64, 128, 256, 512],
    "stackwise_strides": [1, 2, 2, 2],
    "block_type": "basic_block",
}
_RESNET18 = {**_RESNET, "stackwise_blocks": [2, 2, 2, 2]}
_RESNET34 = {**_RESNET, "stackwise_blocks": [3, 4, 6, 3]}
_EFFICIENTNET_LITE = {
    "stackwise_kernel_sizes": [3, 3, 5, 3, 5, 5, 3],
    "stackwise_num_repeats": [1, 2, 2, 3, 3, 4, 1],
    "stackwise_input_filters": [32, 16, 24, 40, 80, 112, 192],
    "stackwise_output_filters": [16, 24, 40, 80, 112, 192, 320],
    "stackwise_expansion_ratios": [1, 6, 6, 6, 6, 6, 6],
    "stackwise_strides": [1, 2, 2, 2, 1, 2, 1],
}


def build_features(
    images: keras.KerasTensor,
    weights: None = None,
    *,
    class_name: str,
    mode: str | None = None,
    **config: Any,
) -> keras.KerasTensor:
    """Returns the feature map of a network of keras-cv.

    Args:
        images: Keras tensor of shape `(batch, height, width, 3)`, in 0..255.
        weights: `None`: keras-cv's weights lie on Kaggle, behind an account.
        class_name: str. A generic backbone class of `keras_cv.models`.
        mode: str or None. Mode of `ImageNormalization` in the place of the
            network's rescaling to 0..1; `None` keeps the rescaling.
        **config: Arguments of the class.

    Returns:
        Keras tensor of shape `(batch, rows, columns, filters)`.
    """
    import keras_cv  # Takes seconds, and few need it.

    network = getattr(keras_cv.models, class_name)(
        include_rescaling=True, input_shape=tuple(images.shape[1:]), **config
    )
    return flat_features(
        network, images, functools.partial(_replace_rescaling, mode=mode)
    )


def _replace_rescaling(layer, mode):
    if mode is None or not isinstance(layer, keras.layers.Rescaling):
        return None
    return ImageNormalization(mode, dtype="float32", name="image_normalization")


def _register(name, family, class_name, config, size=224):
    register_backbone(
        name,
        family=family,
        default_size=size,
        min_size=32,
    )(functools.partial(build_features, class_name=class_name, **config))


def _register_resnets():
    for depth, config in ((18, _RESNET18), (34, _RESNET34)):
        config = {"mode": "torch", **config}
        _register(f"resnet{depth}", "ResNet", "ResNetBackbone", config)
    for depth, config in ((18, _RESNET18), (34, _RESNET34)):
        config = {"mode": "torch", **config}
        _register(f"resnet{depth}v2", "ResNetV2", "ResNetV2Backbone", config)


def _register_efficientnet_lite():
    for name, width, depth, size in (
        ("b0", 1.0, 1.0, 224),
        ("b1", 1.0, 1.1, 240),
        ("b2", 1.1, 1.2, 260),
        ("b3", 1.2, 1.4, 280),
        ("b4", 1.4, 1.8, 300),
    ):
        config = {
            **_EFFICIENTNET_LITE,
            "width_coefficient": width,
            "depth_coefficient": depth,
        }
        _register(
            f"efficientnetlite{name}",
            "EfficientNetLite",
            "EfficientNetLiteBackbone",
            config,
            size,
        )


def _register_yolo_v8():
    for name, channels, depth in (
        ("xs", [32, 64, 128, 256], [1, 2, 2, 1]),
        ("s", [64, 128, 256, 512], [1, 2, 2, 1]),
        ("m", [96, 192, 384, 576], [2, 4, 4, 2]),
        ("l", [128, 256, 512, 512], [3, 6, 6, 3]),
        ("xl", [160, 320, 640, 640], [3, 6, 6, 3]),
    ):
        config = {"stackwise_channels": channels, "stackwise_depth": depth}
        _register(f"yolov8{name}", "YOLOV8", "YOLOV8Backbone", config)


_register_resnets()
_register_efficientnet_lite()
_register_yolo_v8()
