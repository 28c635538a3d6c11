"""Images of the classes that a run was trained without."""

import os
from collections.abc import Callable

import numpy as np

from keras_csg.data.sources.class_choice import held_out_names, names_of
from keras_csg.training.run_data import load_data_for
from keras_csg.training.runs import Run


def load_held_out(
    run: Run,
    limit: int | None = None,
    *,
    data_dir: str | os.PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> np.ndarray:
    """Returns images of the test split that no class of a run describes.

    Args:
        run: `Run` that was trained with `hold_out_classes`.
        limit: int. Number of images at most, spread over the split; `None`
            for all.
        data_dir: path. Where the run's data are now, if they moved.
        log: Callable that takes a line of progress, `None` for `logging`.

    Returns:
        uint8 array of shape `(images, height, width, 3)`.

    Raises:
        ValueError: if no class was held out, or the data cannot be loaded.
    """
    options, held_out = run.options, names_held_out(run)
    chosen = names_of(options.classes)
    if chosen is not None:  # An edited run names those that are left alone.
        chosen = [*chosen, *(name for name in held_out if name not in chosen)]
    # The listing of the run, of its own classes alone, says nothing of these.
    data = load_data_for(
        options.replace(
            hold_out_classes=None,
            classes=None if chosen is None else ",".join(chosen),
        ),
        data_dir=data_dir,
        log=log,
    )
    numbers = [data.class_names.index(name) for name in held_out]
    found = np.flatnonzero(np.isin(data.test.labels, numbers))
    if not len(found):
        raise ValueError(
            f"The test split of {data.name} has no image of "
            f"{', '.join(held_out)}."
        )
    if limit is not None and limit < len(found):
        found = found[np.linspace(0, len(found) - 1, limit).astype(int)]
    return _images_at(data.test, found)


def names_held_out(run: Run) -> list[str]:
    """Returns the classes that a run was trained without.

    Raises:
        ValueError: if there are none.
    """
    held_out = held_out_names(run.options.hold_out_classes)
    if not held_out:
        raise ValueError(
            f"{run} was trained on all classes of its data. Train one with "
            "--hold-out-classes to have images of others."
        )
    return held_out


def _images_at(split, places):
    """Reads some images in order, a batch at a time."""
    images = np.empty((len(places), *split.image_shape), "uint8")
    start = 0
    for batch, _ in split.batches(256):
        stop = start + len(batch)
        within = (places >= start) & (places < stop)
        images[within] = np.asarray(batch)[places[within] - start]
        start = stop
    return images
