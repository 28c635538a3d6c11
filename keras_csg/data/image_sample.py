import numpy as np

from keras_csg.data.label_sets import leading_class
from keras_csg.data.splits.image_split import ImageSplit

BATCH_SIZE = 256
POOL = 4
"""Images read for each one that a balanced sample keeps."""


def sample_images(
    split: ImageSplit, limit: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns some images of a split, chosen at random, or all of them.

    Args:
        split: `ImageSplit`.
        limit: int. Number of images, at least 1.
        seed: int. Seed of the choice.

    Returns:
        images `(samples, height, width, 3)`, uint8, and labels `(samples,)`,
        int32, or as the split has them; as many as `limit`, or all there are.
    """
    if split.num_examples <= limit:
        return split.images_and_labels()
    images, labels, count = [], [], 0
    # The stream stops where we do: a set of millions is not read through.
    for batch in split.training_batches(min(limit, BATCH_SIZE), seed=seed):
        images.append(batch[0].numpy())
        labels.append(batch[1].numpy())
        count += len(labels[-1])
        if count >= limit:
            break
    return np.concatenate(images)[:limit], np.concatenate(labels)[:limit]


def sample_images_of_all_classes(
    split: ImageSplit, limit: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns some images of a split, of the classes by turns.

    A class that is rare in the split is not left out by chance, as long as it
    is among the `4 * limit` images that are looked at.

    Args:
        split: `ImageSplit`.
        limit: int. Number of images, at least 1.
        seed: int. Seed of the choice.

    Returns:
        images and labels, as `sample_images` returns them.
    """
    images, labels = sample_images(split, POOL * limit, seed)
    # A class's first image has turn 0, its second turn 1, and so on.
    turns = np.empty(len(labels), int)
    classes = leading_class(labels)
    for label in np.unique(classes):
        own = classes == label
        turns[own] = np.arange(own.sum())
    chosen = np.argsort(turns, kind="stable")[:limit]
    return images[chosen], labels[chosen]
