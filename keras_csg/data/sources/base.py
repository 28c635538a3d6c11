"""A kind of data and the data it gives: each knows the other."""

import abc
import dataclasses
import os

import numpy as np

from keras_csg.data.annotated_images import AnnotatedImages, read_images, spread
from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.data.image_sizes import SMALL_IMAGE
from keras_csg.data.listing import SPLITS, Listing
from keras_csg.data.sources.request import OPTIONAL, Request
from keras_csg.data.splits.image_split import ImageSplit


@dataclasses.dataclass(frozen=True)
class SourceFacts:
    """What a source knows of its images beside their pixels and classes.

    Attributes:
        keys: list of str. What to call each image, in the order of train,
            validation and test.
        sizes: list of `(height, width)` of the files, empty where all are as
            they are loaded.
        passed_over: dict from a reason to the `count` and the first names,
            `examples`, of what is not read for it.
        copies: list of groups of the numbers of equal images; `None` where it
            cannot be told.
        notes: list of str. Lines on what was made of the data.
        broken: list of str. Files that cannot be read, each with the reason.
    """

    keys: list[str]
    sizes: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    passed_over: dict[str, dict] = dataclasses.field(default_factory=dict)
    copies: list[list[int]] | None = None
    notes: list[str] = dataclasses.field(default_factory=list)
    broken: list[str] = dataclasses.field(default_factory=list)


class Source(abc.ABC):
    """One kind of data, such as a folder of images, asked for one data set.

    A new kind is a subclass with `load`, under `register_source`. It is to
    import what takes long to import only when it is used: all kinds are
    imported together.

    Args:
        request: `Request`. What `load_data` was asked for.
    """

    mask_files = False
    """Whether a folder of mask files can say where the objects are."""

    takes: tuple[str, ...] = ()
    """Which of `OPTIONAL` it takes."""

    def __init__(self, request: Request):
        for name in OPTIONAL:
            value = getattr(request, name)
            if value and name not in self.takes:
                raise ValueError(
                    f"`{name}` is for {OPTIONAL[name]}. Received: "
                    f"{name}={value!r} for data={request.name!r}"
                )
        self.request = request

    @classmethod
    def means(cls, name: str, data_dir: str | None) -> bool:
        """Whether a name means data of this kind.

        Asked for names under which no kind is registered, of the kind that
        was registered last first.

        Args:
            name: str. The name that `load_data` was given.
            data_dir: str. The folder that it was given, if any.
        """
        return False

    @classmethod
    def moved_name(cls, name: str, data_dir: str | os.PathLike) -> str:
        """Returns the name by which data are loaded now that they moved.

        Args:
            name: str. What they were loaded by before.
            data_dir: path. Where they are now.
        """
        return name

    def lasting_name(self) -> str:
        """Returns a name that means the same data wherever it is used."""
        return self.request.name

    def lasting_labels(self) -> str | None:
        """Returns the same of the table of labels, if there is one."""
        return self.request.labels

    @abc.abstractmethod
    def load(self) -> "ClassificationData":
        """Loads the three splits.

        Raises:
            ValueError: if the data cannot be loaded, in one line.
        """

    def facts(self, data: "ClassificationData") -> SourceFacts:
        """Returns what else it knows of the images.

        Args:
            data: what `load` of this source returned.
        """
        splits = zip(
            SPLITS, (data.train, data.validation, data.test), strict=True
        )
        return SourceFacts(
            [
                f"{name} {number}"
                for name, split in splits
                for number in range(split.num_examples)
            ]
        )

    def find_annotated(
        self,
        data: "ClassificationData",
        part: str,
        masks: str | os.PathLike | None,
        limit: int | None,
    ) -> AnnotatedImages | None:
        """Returns the annotated images of the test split, `None` without any.

        For subclasses whose data say where the objects are; `annotate` calls
        it with its own arguments.
        """
        return None

    def annotate(
        self,
        data: "ClassificationData",
        *,
        part: str = "object",
        masks: str | os.PathLike | None = None,
        limit: int | None = None,
    ) -> AnnotatedImages:
        """Returns images of the test split, and where their objects are.

        Args:
            data: what `load` of this source returned.
            part: str. `"object"`, or a part of it that is annotated.
            masks: path of a folder of mask files.
            limit: int. Number of images, spread evenly over the split; `None`
                for all that are annotated.

        Returns:
            `AnnotatedImages`; without annotations, of any images.

        Raises:
            ValueError: if annotations cannot be read, lack the part, or belong
                to no image of the test split.
        """
        self.check_masks(masks)
        found = self.find_annotated(data, part, masks, limit)
        if found is not None:
            return found
        if part != "object":
            raise ValueError(
                "`part` must be 'object' where nothing says where the objects "
                f"are, as in {data.name}. Received: part={part!r}"
            )
        numbers = spread(np.arange(data.test.num_examples), limit, part)
        return AnnotatedImages(*read_images(data.test, numbers), None)

    def annotate_classes(
        self,
        class_names: list[str] | None,
        *,
        part: str = "object",
        masks: str | os.PathLike | None = None,
        limit: int | None = None,
    ) -> AnnotatedImages:
        """Returns annotated images of a network's classes.

        Args:
            class_names: list of str. The classes, in the order of their
                numbers.
            part: as in `annotate`.
            masks: as in `annotate`.
            limit: as in `annotate`.

        Raises:
            ValueError: if the data have other classes, and as in `annotate`.
        """
        data = self.load()
        if data.class_names != class_names:
            raise ValueError(
                "The images must be of the run's classes "
                f"({', '.join(class_names or [])}). Received: "
                f"data={data.name!r}, of {', '.join(data.class_names)}"
            )
        return self.annotate(data, part=part, masks=masks, limit=limit)

    def check_masks(self, masks: str | os.PathLike | None) -> None:
        """Refuses mask files for data that cannot have any.

        Raises:
            ValueError: if `masks` is given and of no use.
        """
        if masks is not None and not self.mask_files:
            raise ValueError(
                "Mask files belong to a folder of images. Received: "
                f"masks={str(masks)!r} for data={self.request.name!r}"
            )


@dataclasses.dataclass(frozen=True)
class ClassificationData:
    """Images of known classes in three splits.

    Attributes:
        source: `Source`. Where they come from: it knows where the objects are.
        class_names: list of str. A name for each label.
        image_shape: tuple `(height, width, 3)`.
        train: `ImageSplit` to train on.
        validation: `ImageSplit` to choose models and settings on.
        test: `ImageSplit` to report on, and for nothing else.
        skipped: list of str. Broken files that were left out.
        allow_flip: bool. Whether a mirrored image is still of its class:
            `False` for digits and letters.
        listing: `Listing` of the images, for data that may change.
        reading: `ImageReading`. How their files became pixels.
        changes: str. What has changed since a run's list was made, as a line;
            `""` for nothing.
        trained_on: int or `None`. How many of the test images a run was
            trained or validated on, where they were looked for in its list.
    """

    source: Source
    class_names: list[str]
    image_shape: tuple[int, int, int]
    train: ImageSplit
    validation: ImageSplit
    test: ImageSplit
    _: dataclasses.KW_ONLY
    skipped: list[str] = dataclasses.field(default_factory=list)
    allow_flip: bool = True
    listing: Listing | None = dataclasses.field(default=None, repr=False)
    reading: ImageReading = PLAIN
    changes: str = ""
    trained_on: int | None = None

    @property
    def name(self) -> str:
        """The name the data were asked for by."""
        return self.source.request.name

    def in_order_of(self, class_names: list[str]) -> "ClassificationData":
        """Returns the same data with the classes in another order.

        Args:
            class_names: list of str. The names of all classes.
        """
        if class_names == self.class_names:
            return self
        from keras_csg.data.splits.renumbered import RenumberedSplit

        number_of = np.array([class_names.index(n) for n in self.class_names])
        train, validation, test = (
            RenumberedSplit(split, number_of)
            for split in (self.train, self.validation, self.test)
        )
        return dataclasses.replace(
            self,
            class_names=class_names,
            train=train,
            validation=validation,
            test=test,
        )

    @property
    def multi_label(self) -> bool:
        """Whether an image may have several classes."""
        return self.train.multi_label

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def small_images(self) -> bool:
        """Whether the images call for the augmentation of small ones."""
        return self.image_shape[0] <= SMALL_IMAGE
