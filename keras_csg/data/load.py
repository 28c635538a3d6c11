import os
from collections.abc import Callable, Mapping, Sequence

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.data.image_reading import PLAIN
from keras_csg.data.sources.base import ClassificationData
from keras_csg.data.sources.known import find_source
from keras_csg.data.sources.request import checked_request


def load_data(
    name: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    image_size: int | str | tuple[int, int] | None = None,
    validation_split: float = 0.1,
    seed: int = 0,
    cache: bool | str = "auto",
    splits: str | Mapping[str, str] | None = None,
    drop_duplicates: bool = False,
    labels: str | os.PathLike | None = None,
    multi_label: bool = False,
    classes: str | Sequence[str] | None = None,
    rename_classes: str | Mapping[str, str] | None = None,
    merge_classes: str | Mapping[str, Sequence[str]] | None = None,
    hold_out_classes: str | Sequence[str] | None = None,
    resize: str = PLAIN.resize,
    background: str = PLAIN.background,
    white_level: int | None = None,
    max_pixels: int = PLAIN.max_pixels,
    log: Callable[[str], None] | None = None,
) -> ClassificationData:
    """Loads images with class labels, by name.

    - `digits` comes with the package's dependencies and needs nothing;
      `shapes` is drawn, with the exact mask of each object.
    - A folder has a sub-folder of images for each class, or such folders
      within `train`, `val` and `test`, by any of the names that people give
      those. Of `train` and `val` alone, `val` is the test split.
    - `hf:NAME` or `hf:NAME:CONFIG` is a set of Hugging Face, or the folder that
      `save_to_disk` wrote.
    - `s3://bucket/photos` and other addresses are copied, then a folder.
    - Anything else is a data set of TensorFlow Datasets: `cifar10`,
      `imagenet2012`, `name/config:1.0.0`. Where it has no labelled test split,
      its validation split takes that place.

    What is missing is held out of the training images, by the hash of each
    one's name, or by blocks of a set's order: about `validation_split` by
    `seed`, and about a fifth as test split independent of it.

    Args:
        name: str or path.
        data_dir: str or path. Where TensorFlow Datasets keeps its sets.
            Defaults to its environment variable `TFDS_DATA_DIR`.
        image_size: int, pair `(height, width)` or `"224x320"`. Defaults to the
            images' own size where they share one of at most 224, else 224.
        validation_split: float. Share of the training images held out, in
            `(0, 0.5]`.
        seed: int. Seed of the choice of the validation images.
        cache: bool or `"auto"`. Whether to keep the decoded images in memory;
            `"auto"` does if they take less than half of what is free.
        splits: which folders the splits of a folder are, or which splits of a
            set, whole or in part, where their names do not tell:
            `"train=A,test=B"` or a dict; `"none"` if they are classes that
            look like splits.
        drop_duplicates: bool. Of a folder, whether equal files in several
            splits are left out of all but one: the test split first, then
            validation.
        labels: path of a `.csv` or `.jsonl` file that says which class each
            image of a folder is of, in the place of class folders, with columns
            `file`, `label` and, if there, `split` and `group`. Of a set of
            Hugging Face or TensorFlow Datasets, the column of the labels.
        multi_label: bool. Whether an image may have several classes, or none:
            in the table `labels`, `cat|dog` in the column `label`, or a column
            of zeros and ones for each class. Labels then have the shape
            `(images, classes)`, and `classes` names all that may be there.
        classes: names of the classes to take, in this order, a list or a str
            with commas; `None` for all. Those that `rename_classes` and
            `merge_classes` give, where they are given.
        rename_classes: new names of classes by old ones, a dict or
            `"a=x,b=y"`.
        merge_classes: classes that become one, by its name: a dict of lists or
            `"x=a+b,y=c+d"`.
        hold_out_classes: names of classes to leave out, a list or a str with
            commas.
        resize: `"crop"`, `"pad"` or `"squash"`: how images of other sizes get
            the one of all. Cropped about the centre, with their aspect kept;
            padded with `background`; or with another aspect.
        background: str. Colour under transparent pixels and beside padded
            images, as CSS has it.
        white_level: int. What is white in images of 16 bits whose files do
            not say; `None` to look how many bits the images of a folder use.
        max_pixels: int. Larger files count as broken.
        log: Callable that takes a line of progress, `None` for `logging`.

    Returns:
        A `ClassificationData`.

    Raises:
        ValueError: for whatever cannot be loaded, in one line.

    Example:
        >>> data = keras_csg.load_data("digits")
        >>> data.train
        <IndexedSplit num_examples=1293, image_shape=(32, 32, 3), cached=True>
        >>> batches = data.train.training_batches(128, seed=0, epochs=10)
    """
    request = checked_request(
        name,
        data_dir=data_dir,
        image_size=image_size,
        validation_split=validation_split,
        seed=seed,
        cache=cache,
        splits=splits,
        drop_duplicates=drop_duplicates,
        labels=labels,
        multi_label=multi_label,
        classes=classes,
        rename_classes=rename_classes,
        merge_classes=merge_classes,
        hold_out_classes=hold_out_classes,
        resize=resize,
        background=background,
        white_level=white_level,
        max_pixels=max_pixels,
        log=log,
    )
    return find_source(request.name, request.data_dir)(request).load()


def load_annotated(
    data: ClassificationData,
    *,
    part: str = "object",
    masks: str | os.PathLike | None = None,
    limit: int | None = None,
) -> AnnotatedImages:
    """Returns images of the test split, and where their objects are.

    - `shapes` has the mask of every shape.
    - A folder of images has `boxes.csv` or mask files; see `FolderMasks`.
    - A set of TensorFlow Datasets has the feature `segmentation_mask`, `bbox`
      or `objects` with a `bbox`; see `load_annotated_tfds`.

    Args:
        data: `ClassificationData`.
        part: str. `"object"`, or a part of it that is annotated.
        masks: path of a folder of mask files.
        limit: int, at least 1. Number of images, spread evenly over the split;
            `None` for all that are annotated.

    Returns:
        `AnnotatedImages`; without annotations, of any images.

    Raises:
        ValueError: if annotations cannot be read, lack the part, or belong to
            no image of the test split, or images have several classes.
    """
    _check_limit(limit)
    if data.multi_label:
        raise ValueError(
            "Annotated images must have one class each. "
            f"Received: {data.name!r} with `multi_label`"
        )
    return data.source.annotate(data, part=part, masks=masks, limit=limit)


def load_annotated_images(
    name: str | os.PathLike,
    class_names: list[str] | None,
    size: tuple[int, int],
    *,
    data_dir: str | os.PathLike | None = None,
    part: str = "object",
    masks: str | os.PathLike | None = None,
    limit: int | None = None,
    resize: str = PLAIN.resize,
    background: str = PLAIN.background,
    white_level: int | None = None,
    max_pixels: int = PLAIN.max_pixels,
    log: Callable[[str], None] | None = None,
) -> AnnotatedImages:
    """Returns annotated images of a network's classes, from any data.

    Unlike `load_data`, it also takes sets of TensorFlow Datasets without a
    class label, such as `voc`: there the largest object names the class, and
    images of other classes are left out.

    Args:
        name: str or path, as `load_data` takes it.
        class_names: list of str. The classes, in the order of their numbers.
        size: tuple `(height, width)` of the images.
        data_dir: str or path. Where TensorFlow Datasets keeps its sets.
        part: as in `load_annotated`.
        masks: as in `load_annotated`.
        limit: as in `load_annotated`.
        resize: as in `load_data`, as the next three.
        background: see there.
        white_level: see there.
        max_pixels: see there.
        log: Callable that takes a line of progress, `None` for `logging`.

    Returns:
        `AnnotatedImages`; without annotations, of any images.

    Raises:
        ValueError: if the data cannot be loaded, have other classes, or as
            `load_annotated` does.
    """
    _check_limit(limit)
    request = checked_request(
        name,
        data_dir=data_dir,
        image_size=size,
        resize=resize,
        background=background,
        white_level=white_level,
        max_pixels=max_pixels,
        log=log,
    )
    source = find_source(request.name, request.data_dir)(request)
    return source.annotate_classes(
        class_names, part=part, masks=masks, limit=limit
    )


def _check_limit(limit):
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be at least 1. Received: limit={limit}")
