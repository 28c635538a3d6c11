"""Where a class's evidence lies in a mosaic of images of several classes."""

import numpy as np

from keras_csg.metrics.localization import check_maps


def grid_pointing_game(maps: np.ndarray, side: int) -> np.ndarray:
    """Returns the share of positive attribution in the right cell.

    Args:
        maps: float array of shape `(mosaics, cells, height, width)`: for each
            cell of a mosaic, row by row, the map of that cell's class.
        side: int. Cells in a row and in a column; `cells` is its square.

    Returns:
        float array of shape `(mosaics, cells)`, in `[0, 1]`; by chance it is
        `1 / cells`. A map without positive attribution is never right: 0.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import grid_pointing_game
        >>> maps = np.ones((1, 4, 2, 2))  # A mosaic of 2 x 2 images of 1 x 1.
        >>> maps[0, 0] = [[3, 0], [1, 0]]  # Cell 0 is the upper left one.
        >>> grid_pointing_game(maps, side=2)
        array([[0.75, 0.25, 0.25, 0.25]])

    Reference:
        - [Boehle et al., 2021](https://arxiv.org/abs/2104.00032), section 4
    """
    maps = check_maps(maps)
    mosaics, cells, height, width = _checked_shape(maps, side)
    positive = (
        np.maximum(maps, 0)
        .astype("float64")
        .reshape(mosaics, cells, side, height // side, side, width // side)
    )
    parts = positive.sum(axis=(3, 5)).reshape(mosaics, cells, cells)
    right = np.einsum("mcc->mc", parts)
    total = parts.sum(axis=2)
    return right / np.where(total > 0, total, 1)


def _checked_shape(maps, side):
    shape = maps.shape
    if maps.ndim != 4 or shape[1] != side**2 or shape[2] % side:
        raise ValueError(
            "`maps` must have shape (mosaics, side * side, height, width), "
            "height and width multiples of side. "
            f"Received: maps.shape={shape}, side={side}"
        )
    if shape[3] % side:
        raise ValueError(
            "`maps` must have a width that is a multiple of `side`. "
            f"Received: maps.shape={shape}, side={side}"
        )
    return shape


def choose_cells(
    labels: np.ndarray,
    probabilities: np.ndarray,
    side: int,
    mosaics: int,
    *,
    confidence: float = 0.9,
    seed: int = 0,
) -> np.ndarray | None:
    """Chooses images of different classes, classified with confidence.

    The classes of a mosaic are drawn at random from those with an image that
    is in no mosaic yet. Only where they are fewer than the cells others join
    them, with the images that were used the longest ago.

    Args:
        labels: ints of shape `(samples,)`.
        probabilities: array of shape `(samples, classes)`.
        side: int. Cells in a row and in a column of a mosaic.
        mosaics: int. Number of mosaics.
        confidence: float. Least probability of the image's own class.
        seed: int.

    Returns:
        int array of shape `(mosaics, side * side)`: numbers of samples, those
        of a mosaic of different classes; `None` where fewer classes than cells
        have an image classified that well.
    """
    labels = np.asarray(labels)
    own = probabilities[np.arange(len(labels)), labels]
    confident = (probabilities.argmax(axis=1) == labels) & (own >= confidence)
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(np.flatnonzero(confident))
    queues = [numbers[labels[numbers] == c] for c in np.unique(labels[numbers])]
    if len(queues) < side**2:
        return None
    sizes = np.array([len(queue) for queue in queues])
    used = np.zeros(len(queues), int)
    cells = np.empty((mosaics, side**2), int)
    for mosaic in cells:
        # Those without a new image last; at random before and behind.
        order = np.lexsort([rng.random(len(queues)), used >= sizes])
        for cell, drawn in enumerate(rng.permutation(order[: side**2])):
            mosaic[cell] = queues[drawn][used[drawn] % sizes[drawn]]
            used[drawn] += 1
    return cells


def make_mosaics(images: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Puts images side by side.

    Args:
        images: array of shape `(samples, height, width, 3)`.
        cells: int array of shape `(mosaics, side * side)`; see `choose_cells`.

    Returns:
        array of shape `(mosaics, side * height, side * width, 3)`.
    """
    side = round(cells.shape[1] ** 0.5)
    _, height, width, channels = images.shape
    grid = images[cells].reshape(-1, side, side, height, width, channels)
    grid = grid.transpose(0, 1, 3, 2, 4, 5)
    return grid.reshape(-1, side * height, side * width, channels)
