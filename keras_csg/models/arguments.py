from collections.abc import Sequence


def check_arguments(
    num_classes: int,
    weights: dict[str, float | None],
    filter_dropout: float,
    density: float | None,
    closing_steps: int | None,
    class_names: Sequence[str] | None,
) -> None:
    """Refuses what no classifier can be built with.

    Args:
        num_classes: see `CSGClassifier`.
        weights: dict from the name of each weight or rate to its value.
        filter_dropout: see `CSGClassifier`.
        density: see `CSGClassifier`.
        closing_steps: see `CSGClassifier`.
        class_names: see `CSGClassifier`.

    Raises:
        ValueError: with the first argument that is out of its range.
    """
    for name, value in weights.items():
        if value is not None and not 0 <= value < float("inf"):
            raise ValueError(
                f"`{name}` must be at least 0. Received: {name}={value}"
            )
    if closing_steps is not None and not closing_steps >= 1:
        raise ValueError(
            "`closing_steps` must be at least 1. "
            f"Received: closing_steps={closing_steps}"
        )
    if num_classes < 2:
        raise ValueError(
            "`num_classes` must be at least 2. "
            f"Received: num_classes={num_classes}"
        )
    # One class to each filter; the penalty may ask for less and never get it.
    least = 0 if weights["lambda_2"] is not None else 0.999 / num_classes
    if density is not None and not max(least, 1e-9) <= density <= 1:
        raise ValueError(
            "`density` must be at most 1 and at least 1 / num_classes, one "
            f"class to each filter. Received: density={density}, "
            f"num_classes={num_classes}"
        )
    if not 0 <= filter_dropout < 1:
        raise ValueError(
            "`filter_dropout` must be at least 0 and below 1. "
            f"Received: filter_dropout={filter_dropout}"
        )
    if class_names is not None and len(class_names) != num_classes:
        raise ValueError(
            f"`class_names` must have {num_classes} names. "
            f"Received: {len(class_names)} names"
        )
