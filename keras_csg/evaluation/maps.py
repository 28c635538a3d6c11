"""Everything that is measured of where a classifier's maps point."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.evaluation.flat_figures import flat_figures
from keras_csg.evaluation.grid_pointing import MOSAICS, evaluate_grid_pointing
from keras_csg.evaluation.localization import evaluate_localization
from keras_csg.explain.randomization import cascading_randomization
from keras_csg.models.classifier import CSGClassifier

GRID_SIDES = (2, 3)
SANITY_IMAGES = 16
NO_GAME = (
    "No grid pointing game of {}x{}: it takes {} classes with an image that is "
    "classified rightly, with a probability of at least 0.9."
)

Rows = dict[str, dict[str, float]]


class MapResult(NamedTuple):
    """What was measured of a classifier's maps.

    Attributes:
        rows: dict from a map's name to a dict of its figures, as a table shows
            them; NaN where a figure is not defined.
        figures: the same as one flat dict that JSON can hold, with `images`,
            the number of images; `part`, what the masks show, `None` without
            masks; and, where a game of 2 x 2 was played,
            `grid_2x2_images` and `grid_2x2_classes`, how many different ones,
            and `grid_pointing_game`, that of the CAM; the same of 3 x 3.
    """

    rows: Rows
    figures: dict[str, Any]


def evaluate_maps(
    model: CSGClassifier,
    annotated: AnnotatedImages,
    *,
    part: str = "object",
    batch_size: int = 16,
    grid: bool = False,
    mosaics: int = MOSAICS,
    track: Callable[[list, str], Any] = lambda batches, text: batches,
    log: Callable[[str], Any] = lambda text: None,
) -> MapResult:
    """Measures where the maps point: by masks, by mosaics, or by both.

    `evaluate_localization` where there are masks; `evaluate_grid_pointing`,
    of 2 x 2 and of 3 x 3 images, where there are none or `grid` asks for it.

    Args:
        model: `CSGClassifier`.
        annotated: `AnnotatedImages`.
        part: str. What the masks show.
        batch_size: int. Images at a time.
        grid: bool. Whether to play the game where there are masks too.
        mosaics: int. Number of mosaics of the game.
        track: callable from batches and a text to the batches, such as a
            progress bar.
        log: callable from a str, told of what a game was played with, or that
            it cannot be.

    Returns:
        `MapResult`.
    """
    known = annotated.masks is not None
    rows: Rows = {}
    played: dict[str, int] = {}
    if known:
        rows = evaluate_localization(
            model, annotated, batch_size=batch_size, track=track
        )
    for side in GRID_SIDES if grid or not known else ():
        game = evaluate_grid_pointing(
            model,
            annotated.images,
            annotated.labels,
            side,
            mosaics=mosaics,
            track=track,
        )
        if game is None:
            log(NO_GAME.format(side, side, side**2))
            continue
        log(
            f"Grid pointing game of {side}x{side}: {mosaics} mosaics of "
            f"{game.images} different images of {game.classes} classes."
        )
        name = f"grid_{side}x{side}"
        played |= {
            f"{name}_images": game.images,
            f"{name}_classes": game.classes,
        }
        for row, share in game.shares.items():
            rows.setdefault(row, {})[name] = share
    count = {
        "images": len(annotated.images),
        "part": part if known else None,
    }
    figures = count | flat_figures(rows) | played | _game_of_the_cam(rows)
    return MapResult(rows, figures)


def _game_of_the_cam(rows):
    cam = rows.get("gated_cam", rows.get("cam", {}))
    if "grid_2x2" not in cam:
        return {}
    return {"grid_pointing_game": cam["grid_2x2"]}


def evaluate_sanity(
    model: CSGClassifier,
    annotated: AnnotatedImages,
    *,
    most: int = SANITY_IMAGES,
) -> dict[str, Any]:
    """Compares the maps with those of a network ever more random.

    Args:
        model: `CSGClassifier`.
        annotated: `AnnotatedImages`; masks are not needed.
        most: int, at least 1. Number of images, spread evenly over those
            given.

    Returns:
        A dict that JSON can hold: `images`, the number of them, and `depths`,
        see `cascading_randomization`.
    """
    images, labels, _ = annotated
    step = max(1, len(images) // most)
    chosen = slice(None, step * most, step)
    depths = cascading_randomization(
        model, images[chosen], labels[chosen], gated=model.gated
    )
    return {"images": len(images[chosen]), "depths": depths}
