import functools

import tensorflow_datasets as tfds

from keras_csg.data.sources.tfds_features import is_image_classification


@functools.cache
def list_image_sets() -> tuple[str, ...]:
    """Returns the names of TFDS's sets of images with one class label."""
    names = tfds.list_builders(with_community_datasets=False)
    return tuple(name for name in names if _is_image_set(name))


def _is_image_set(name):
    # Many of the builders need a package that is not installed, or the
    # network; such a one is not on the list.
    try:
        if not _may_hold_images(tfds.builder_cls(name).__module__):
            return False
        return is_image_classification(tfds.builder(name, data_dir="unused"))
    except Exception:
        return False


def _may_hold_images(module):
    """Whether to look closer: some of the others ask the network for that."""
    return ".image_classification." in module or ".datasets." in module
