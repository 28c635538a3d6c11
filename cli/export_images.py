"""The images of a run that an export is proved and calibrated on."""

import dataclasses

from keras_csg.data.image_sample import (
    sample_images,
    sample_images_of_all_classes,
)
from keras_csg.training import load_run_data
from keras_csg_cli.options import say

PROOF_IMAGES = 1024
# Agreement and accuracy are shares: of few images they say little.
INT8_PROOF_IMAGES = 5000
CALIBRATION_IMAGES = 256
ADVICE = "name where they are with --data-dir"


@dataclasses.dataclass(frozen=True)
class RunImages:
    """Images of a run, or why there are none.

    Attributes:
        data: `ClassificationData`, or `None` if the data are gone.
        reason: str. Why they are.
    """

    data: object = None
    reason: str = ""

    def arguments(self, target):
        """Returns the arguments of `keras_csg.export` that are of images.

        Args:
            target: `Target`.

        Raises:
            ValueError: if the target needs images and there are none.
        """
        int8 = target.quantize == "int8"
        if self.data is None:
            if int8:
                raise ValueError(
                    "int8 is calibrated on training images of the run: "
                    f"{ADVICE}. Received: {self.reason}"
                )
            return {}
        images, labels = sample_images(
            self.data.validation, INT8_PROOF_IMAGES if int8 else PROOF_IMAGES
        )
        arguments = {"images": images, "labels": labels}
        if int8:
            training, _ = sample_images_of_all_classes(
                self.data.train, CALIBRATION_IMAGES
            )
            arguments["calibration"] = training
        return arguments


def load_images(run, model, data_dir):
    """Returns the `RunImages` of a run; without its data, says so.

    Raises:
        ValueError: if the user said where the data are and they are not.
    """
    try:
        data = load_run_data(run, model, data_dir=data_dir, log=say)
        return RunImages(data)
    except (ValueError, OSError) as error:
        if data_dir is not None:
            raise
        reason = " ".join(str(error).split())
    say(
        f"The run's data are gone ({reason}): files are compared with the "
        f"network on random pixels instead; {ADVICE}."
    )
    return RunImages(reason=reason)
