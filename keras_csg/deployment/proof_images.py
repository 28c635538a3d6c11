"""The images that an export is proved and calibrated on."""

import numpy as np

from keras_csg.data import ClassificationData
from keras_csg.data.image_sample import (
    sample_images,
    sample_images_of_all_classes,
)

PROOF_IMAGES = 1024
# Agreement and accuracy are shares: of few images they say little.
INT8_PROOF_IMAGES = 5000
CALIBRATION_IMAGES = 256


def choose_images(
    data: ClassificationData, quantize: str | None = None
) -> dict[str, np.ndarray]:
    """Chooses images of a data set to prove an exported file on.

    Args:
        data: the `ClassificationData` the model was trained on.
        quantize: what the file is quantised to; `None` for float32.

    Returns:
        dict of arguments of `keras_csg.export`: `images` `(samples, height,
        width, 3)`, uint8, and `labels` `(samples,)`, int32, of the validation
        split; for `"int8"` also `calibration`, images of the training split,
        of all classes alike.
    """
    int8 = quantize == "int8"
    images, labels = sample_images(
        data.validation, INT8_PROOF_IMAGES if int8 else PROOF_IMAGES
    )
    chosen = {"images": images, "labels": labels}
    if int8:
        chosen["calibration"], _ = sample_images_of_all_classes(
            data.train, CALIBRATION_IMAGES
        )
    return chosen
