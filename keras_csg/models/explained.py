from collections.abc import Iterable, Sequence
from typing import Any


class Explained:
    """Has a classifier explain its predictions, filter by filter."""

    def explain(
        self,
        images: Any,
        for_class: str | int | Sequence[str | int] | None = None,
        *,
        filters: int = 5,
        without: int | str | Iterable[int | str] = (),
        batch_size: int = 32,
    ) -> Any:
        """Explains what is predicted, as `keras_csg.explain.explain` does.

        Args:
            images: array of shape `(samples, height, width, 3)`, RGB in
                0..255, or one image; or list of paths, `PIL.Image.Image` or
                arrays, of any size.
            for_class: name or number of a class to explain beside the
                predicted one, or one for each image; `None` for the second
                likeliest.
            filters: int. Number of filters to look at of each class.
            without: numbers or names of filters that are switched off.
            batch_size: int.

        Returns:
            `keras_csg.explain.Explanation`: arrays, `sentences`, `plot`,
            `overlay` and `to_dict`; a notebook shows it.

        Raises:
            ValueError: if an argument is not as described.
        """
        import keras_csg.explain  # It stands on this module.

        model: Any = self
        return keras_csg.explain.explain(
            model,
            images,
            for_class,
            filters=filters,
            without=without,
            batch_size=batch_size,
        )
