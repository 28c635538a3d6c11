"""Every network of `keras.applications`."""

import contextlib
import dataclasses
import functools
import sys

import keras

from keras_csg.backbones.flattening import as_depthwise, flat_features
from keras_csg.backbones.registry import register_backbone
from keras_csg.layers.image_normalization import normalize_images


@dataclasses.dataclass(frozen=True)
class _Family:
    name: str
    mode: str | None  # None: the networks bring their own rescaling.
    sizes: dict[str, int]  # class name -> default size
    min_size: int = 32


FAMILIES = (
    _Family(
        "ResNet", "caffe", {"ResNet50": 224, "ResNet101": 224, "ResNet152": 224}
    ),
    _Family(
        "ResNetV2",
        "tf",
        {"ResNet50V2": 224, "ResNet101V2": 224, "ResNet152V2": 224},
    ),
    _Family("VGG", "caffe", {"VGG16": 224, "VGG19": 224}),
    _Family(
        "DenseNet",
        "torch",
        {"DenseNet121": 224, "DenseNet169": 224, "DenseNet201": 224},
    ),
    _Family("MobileNet", "tf", {"MobileNet": 224}),
    _Family("MobileNetV2", "tf", {"MobileNetV2": 224}),
    _Family(
        "MobileNetV3", None, {"MobileNetV3Small": 224, "MobileNetV3Large": 224}
    ),
    _Family(
        "EfficientNet",
        None,
        {
            "EfficientNetB0": 224,
            "EfficientNetB1": 240,
            "EfficientNetB2": 260,
            "EfficientNetB3": 300,
            "EfficientNetB4": 380,
            "EfficientNetB5": 456,
            "EfficientNetB6": 528,
            "EfficientNetB7": 600,
        },
    ),
    _Family(
        "EfficientNetV2",
        None,
        {
            "EfficientNetV2B0": 224,
            "EfficientNetV2B1": 240,
            "EfficientNetV2B2": 260,
            "EfficientNetV2B3": 300,
            "EfficientNetV2S": 384,
            "EfficientNetV2M": 480,
            "EfficientNetV2L": 480,
        },
    ),
    _Family(
        "ConvNeXt",
        None,
        {
            "ConvNeXtTiny": 224,
            "ConvNeXtSmall": 224,
            "ConvNeXtBase": 224,
            "ConvNeXtLarge": 224,
            "ConvNeXtXLarge": 224,
        },
    ),
    _Family("InceptionV3", "tf", {"InceptionV3": 299}, min_size=75),
    _Family("InceptionResNetV2", "tf", {"InceptionResNetV2": 299}, min_size=75),
    _Family("Xception", "tf", {"Xception": 299}, min_size=71),
    _Family("NASNet", "tf", {"NASNetMobile": 224, "NASNetLarge": 331}),
)


def build_features(
    images: keras.KerasTensor,
    weights: str | None = None,
    *,
    class_name: str,
    mode: str | None,
) -> keras.KerasTensor:
    """Returns the feature map of a network of `keras.applications`.

    Args:
        images: Keras tensor of shape `(batch, height, width, 3)`, in 0..255.
        weights: `None` or `"imagenet"`.
        class_name: str. Name in `keras.applications`.
        mode: str or None. Its mode of `ImageNormalization`.

    Returns:
        Keras tensor of shape `(batch, rows, columns, filters)`.

    Raises:
        OSError: if the weights cannot be downloaded.
    """
    network = getattr(keras.applications, class_name)
    try:
        # The tensor becomes part of the network's own graph: nothing is
        # nested, and every layer has one call.
        # Keras tells of a download on stdout, which is for results.
        with contextlib.redirect_stdout(sys.stderr):
            model = network(
                include_top=False,
                weights=weights,
                input_tensor=normalize_images(images, mode),
            )
    except Exception as error:
        # Keras raises a bare `Exception` for whatever went wrong on the net.
        if "URL fetch failure" not in str(error):
            raise
        raise OSError(
            f"The {weights} weights of {class_name} could not be downloaded. "
            "Take weights=None, or put the file named below into the folder "
            "`models` of Keras's cache (~/.keras, or $KERAS_HOME). "
            f"Received: {error}"
        ) from error
    if class_name.startswith("ConvNeXt"):
        return flat_features(model, images, as_depthwise)
    return model.output


def _register(family):
    for class_name, default_size in family.sizes.items():
        register_backbone(
            class_name,
            family=family.name,
            default_size=default_size,
            min_size=family.min_size,
            weights=("imagenet",),
        )(
            functools.partial(
                build_features, class_name=class_name, mode=family.mode
            )
        )


for _family in FAMILIES:
    _register(_family)
