import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image


@pytest.fixture
def write_images(tmp_path):
    """Writes `count` images into `tmp_path / folder`, all a little different.

    The red channel of image `i` is `i`.
    """

    def write(folder, count=6, size=(16, 16), suffix=".png", first=0):
        target = tmp_path / folder
        target.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            pixels = np.zeros((*size, 3), "uint8")
            pixels[..., 0] = number
            pixels[: size[0] // 2, :, 1] = 200
            path = target / f"{number:03}{suffix}"
            Image.fromarray(pixels).save(path)
        return tmp_path

    return write


@pytest.fixture
def flat_folder(write_images):
    """Two classes, `cat` and `dog`, of 20 images each."""
    write_images("cat", 20)
    return write_images("dog", 20, first=100)


@pytest.fixture
def prepare_tfds(tmp_path):
    """Prepares a TFDS set of `{split: labels}` in `tmp_path`.

    The red channel of image `i` of a split is `i`; every example has what
    `more` holds.
    """

    def prepare(splits, name="tiny_set", shape=(8, 8, 3), sizes=None, **info):
        features = info.pop("features", None) or {
            "image": tfds.features.Image(shape=shape),
            "label": tfds.features.ClassLabel(names=["ant", "bee", "cow"]),
        }
        shards = info.pop("num_shards", None)
        more = info.pop("more", {})
        info.setdefault("supervised_keys", ("image", "label"))
        builder_class = _builder_class(
            name, features, splits, sizes, more, info
        )
        builder = builder_class(data_dir=tmp_path)
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(num_shards=shards)
        )
        return tmp_path

    return prepare


def _builder_class(builder_name, features, splits, sizes, more, info):
    class TinySet(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")
        name = builder_name

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                **info,
            )

        def _split_generators(self, dl_manager):
            return {name: self._examples(splits[name]) for name in splits}

        def _generate_examples(self):
            raise NotImplementedError

        def _examples(self, labels):
            height, width, channels = features["image"].shape
            for number, label in enumerate(labels):
                size = sizes[number % len(sizes)] if sizes else (height, width)
                image = np.zeros((*size, channels), "uint8")
                image[..., 0] = number
                yield number, {"image": image, "label": label, **more}

    return TinySet
