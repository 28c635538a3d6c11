import dataclasses

from keras_csg.data.augmentation.batch_crops import SMALL_IMAGE
from keras_csg.data.splits.image_split import ImageSplit


@dataclasses.dataclass(frozen=True)
class ClassificationData:
    """Images of known classes in three splits.

    Attributes:
        name: str. The name the data were asked for by.
        class_names: list of str. A name for each label.
        image_shape: tuple `(height, width, 3)`.
        train: `ImageSplit` to train on.
        validation: `ImageSplit` to choose models and settings on.
        test: `ImageSplit` to report on, and for nothing else.
        skipped: list of str. Broken files that were left out.
        allow_flip: bool. Whether a mirrored image is still of its class:
            `False` for digits and letters.
    """

    name: str
    class_names: list[str]
    image_shape: tuple[int, int, int]
    train: ImageSplit
    validation: ImageSplit
    test: ImageSplit
    skipped: list[str] = dataclasses.field(default_factory=list)
    allow_flip: bool = True

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def small_images(self) -> bool:
        """Whether the images call for the augmentation of small ones."""
        return self.image_shape[0] <= SMALL_IMAGE
