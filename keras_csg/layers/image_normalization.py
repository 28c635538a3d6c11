from typing import Any

import keras
from keras import ops

MODES = ("caffe", "tf", "torch")


@keras.saving.register_keras_serializable(package="keras_csg")
class ImageNormalization(keras.layers.Layer):
    """Turns RGB images in 0..255 into the values a network was made for.

    As a layer it travels with the model: a saved or an exported file takes
    plain images, and nobody has to remember how they were scaled in training.

    Args:
        mode: str. `"caffe"` turns RGB into BGR and subtracts the mean colour of
            ImageNet, `"tf"` scales to -1..1, `"torch"` scales to 0..1 and
            standardises each channel with ImageNet's mean and deviation.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`, integer or float,
            RGB in 0..255.

    Returns:
        Float tensor of the same shape.

    Raises:
        ValueError: if `mode` is unknown.

    Example:
        >>> white = np.full((1, 1, 1, 3), 255)
        >>> keras.ops.convert_to_numpy(ImageNormalization("tf")(white))
        array([[[[1., 1., 1.]]]], dtype=float32)
    """

    def __init__(self, mode: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ValueError(
                f"`mode` must be one of {', '.join(MODES)}. "
                f"Received: mode={mode}"
            )
        self.mode = mode

    def call(self, images: Any) -> Any:
        """Returns the normalised images."""
        # Keras casts float inputs only, and images often come as uint8.
        images = ops.cast(images, self.compute_dtype)
        return keras.applications.imagenet_utils.preprocess_input(
            images, data_format="channels_last", mode=self.mode
        )

    def compute_output_shape(
        self, images_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Returns the images' own shape."""
        return images_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for serialisation."""
        return {**super().get_config(), "mode": self.mode}


def normalize_images(
    images: keras.KerasTensor, mode: str | None
) -> keras.KerasTensor:
    """Puts an `ImageNormalization` behind a functional model's images.

    The layer computes in float32 whatever the global dtype policy: pixels and
    means lose digits in half precision, and the next layer casts anyway.

    Args:
        images: Keras tensor of shape `(batch, height, width, 3)`.
        mode: str or None. A mode of `ImageNormalization`; `None` and `"none"`
            add no layer.

    Returns:
        Keras tensor of the shape of `images`.
    """
    if mode is None or mode == "none":
        return images
    return ImageNormalization(
        mode, dtype="float32", name="image_normalization"
    )(images)
