"""A folder of images as a few files of records, which disks read faster."""

import contextlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from keras_csg.data.image_files import open_image
from keras_csg.data.listing import SPLITS
from keras_csg.data.sources.base import ClassificationData
from keras_csg.data.sources.folder import FolderSource
from keras_csg.data.sources.split_names import as_on_disk
from keras_csg.files import hidden_part, naming

VERSION = "1.0.0"
QUALITY = 95
"""Of the JPEG images that are made where images are shrunk."""


def pack_name(folder: Path) -> str:
    """Returns what TensorFlow Datasets may call a folder's set.

    Example:
    >>> pack_name(Path("/data/My Photos-2"))
    'my_photos_2'
    """
    words = re.findall(r"[a-z0-9]+", folder.name.lower())
    name = "_".join(words)
    return name if re.match("[a-z]", name) else f"set_{name}".rstrip("_")


def pack_data(
    data: ClassificationData,
    out: Path,
    name: str,
    *,
    shorter_side: int | None = None,
    track: Callable[[Iterable, str, int], Iterable] = lambda batches, *_: (
        batches
    ),
) -> Path:
    """Writes a folder's images as a set of TensorFlow Datasets.

    With the splits that they have, each image's file as it is, or shrunk.

    Args:
        data: `ClassificationData` of a folder.
        out: Path that TensorFlow Datasets is to keep the set in.
        name: str. What the set is called.
        shorter_side: int. Larger images are shrunk until their shorter side
            has that many pixels; `None` to keep the files.
        track: callable from examples, a text and their number to the examples.

    Returns:
        Path of the set.

    Raises:
        ValueError: if the data are no folder, it cannot be called so, or is
            there already.
        OSError: if it cannot be written.
    """
    import tensorflow_datasets as tfds

    if not isinstance(data.source, FolderSource):
        raise ValueError(
            "What is packed must be a folder of images. "
            f"Received: {data.name!r}"
        )
    if data.multi_label:
        raise ValueError(
            "Images with several classes cannot be packed: a set has one for "
            f"each. Received: {data.name!r} with `multi_label`"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(
            "`name` must be made of small letters, digits and _, and begin "
            f"with a letter. Received: name={name!r}"
        )
    path = out / name / VERSION
    if path.exists():
        raise ValueError(f"{path} is there already: give it another `name`.")
    files = _files(data)
    shown = {
        split: track(files[split], f"Packing {split}", len(files[split]))
        for split in SPLITS
    }
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=data.class_names),
        }
    )
    out.mkdir(parents=True, exist_ok=True)
    hidden = out / f"{name}.packing"
    with naming(hidden, path), hidden_part(hidden) as part, _silent_sets():
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version=VERSION,
            features=features,
            split_datasets={
                split: _examples(shown[split], data, shorter_side)
                for split in SPLITS
            },
            data_dir=part,
            description=f"Images of the folder {Path(data.name).name}.",
        )
        path.parent.mkdir(exist_ok=True)
        (part / name / VERSION).rename(path)
    return path


@contextlib.contextmanager
def _silent_sets():
    """Keeps TensorFlow Datasets' own bars and lines off the screen."""
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.enable_progress_bar()


def _files(data):
    """Returns path and label of each image, by split."""
    folder = data.source.folder
    keys = iter(data.source.facts(data).keys)
    parts = (data.train, data.validation, data.test)
    return {
        name: [
            (as_on_disk(folder / next(keys)), int(label))
            for label in part.labels
        ]
        for name, part in zip(SPLITS, parts, strict=True)
    }


def _examples(
    files: Iterable[tuple[Path, int]],
    data: ClassificationData,
    shorter_side: int | None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, label in files:
        encoded = path.read_bytes()
        if shorter_side is not None:
            encoded = _shrunk(encoded, data.reading, shorter_side)
        # Records are in the order of a hash of the name.
        yield str(path), {"image": io.BytesIO(encoded), "label": label}


def _shrunk(encoded, reading, side):
    """Returns a smaller image as JPEG; what is small stays as it is."""
    with open_image(io.BytesIO(encoded), reading.max_pixels) as file:
        width, height = ImageOps.exif_transpose(file).size
    share = side / min(width, height)
    if share >= 1:
        return encoded
    size = (round(height * share), round(width * share))
    pixels = reading.decode(io.BytesIO(encoded), size)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
